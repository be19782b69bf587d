import { useCallback, useSyncExternalStore } from 'react'

export const secondsLeft = (until: number): number => Math.max(0, Math.ceil((until - Date.now()) / 1_000))

/** Calls at each second that is left until then, and when none is. */
export function everySecond(until: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>
  const wait = () => {
    const left = until - Date.now()
    if (left <= 0) return
    timer = setTimeout(() => {
      call()
      wait()
    }, left % 1_000 || 1_000)
  }
  wait()
  return () => clearTimeout(timer)
}

/** How many seconds are left until a moment (of `Date.now()`): counts down to 0. */
export function useSecondsLeft(until = 0): number {
  const subscribe = useCallback((watcher: () => void) => everySecond(until, watcher), [until])
  return useSyncExternalStore(subscribe, () => secondsLeft(until))
}

/** "18 seconds"; what is long is told in minutes. */
export function inWords(seconds: number): string {
  const [count, unit] = seconds <= 90 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
