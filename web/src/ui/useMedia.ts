import { useCallback, useSyncExternalStore } from 'react'

/** Whether one points with a finger, and there is nothing to hover with: a phone, or a tablet. */
export const useByTouch = () => useMedia('(hover: none) and (pointer: coarse)')

/** Whether a media query holds, now and whenever that changes. Widths are in em: they are of so much text, however large that is. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (watcher: () => void) => {
      const list = matchMedia(query)
      list.addEventListener('change', watcher)
      return () => list.removeEventListener('change', watcher)
    },
    [query],
  )
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches)
}
