import { useSyncExternalStore } from 'react'

const isSeen = () => document.visibilityState === 'visible' && document.hasFocus()

function subscribe(watcher: () => void): () => void {
  document.addEventListener('visibilitychange', watcher)
  addEventListener('focus', watcher)
  addEventListener('blur', watcher)
  return () => {
    document.removeEventListener('visibilitychange', watcher)
    removeEventListener('focus', watcher)
    removeEventListener('blur', watcher)
  }
}

/** Whether somebody can be taken to look at this page: only then is anything read. */
export function usePageSeen(): boolean {
  return useSyncExternalStore(subscribe, isSeen)
}
