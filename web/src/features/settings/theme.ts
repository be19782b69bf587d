import { useSyncExternalStore } from 'react'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'gochat-theme'
const watchers = new Set<() => void>()

const isTheme = (value: string | null): value is Theme => value === 'light' || value === 'dark' || value === 'system'

function read(): Theme {
  const stored = localStorage.getItem(KEY)
  return isTheme(stored) ? stored : 'system'
}

/** Puts the chosen theme on the page; `system` leaves it to the browser. */
export function applyTheme(): void {
  const theme = read()
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

function setTheme(theme: string): void {
  if (!isTheme(theme)) return
  localStorage.setItem(KEY, theme)
  applyTheme()
  for (const watcher of watchers) watcher()
}

export function useTheme(): [Theme, (theme: string) => void] {
  const theme = useSyncExternalStore((watcher) => {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }, read)
  return [theme, setTheme]
}
