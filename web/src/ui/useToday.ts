import { useSyncExternalStore } from 'react'
import { dayKey } from './time'

const EVERY_MS = 30_000

const watchers = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function look(): void {
  for (const watcher of watchers) watcher()
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher)
  timer ??= setInterval(look, EVERY_MS)
  document.addEventListener('visibilitychange', look)
  return () => {
    watchers.delete(watcher)
    if (watchers.size > 0) return
    clearInterval(timer)
    timer = undefined
    document.removeEventListener('visibilitychange', look)
  }
}

const today = () => dayKey(new Date().toISOString())

/** The day that it is, as a key: what says Today is drawn again after midnight, though nothing else of it has changed. */
export function useToday(): string {
  return useSyncExternalStore(subscribe, today)
}
