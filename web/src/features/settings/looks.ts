import { useSyncExternalStore } from 'react'
import { onRemembered, recall, remember } from '../../model/memory'

/** How the app looks in this browser: each choice is an attribute of the page, but for the first value, which is none. */
interface Look<T extends string> {
  /** Of the attribute, and where it is kept. */
  name: string
  values: readonly [T, ...T[]]
  /** What the first value comes to just now, where that is not seen to by CSS alone. */
  asSystem?: () => T
}

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'comfortable' | 'compact'
export type Contrast = 'system' | 'more'

const MORE_CONTRAST = '(prefers-contrast: more)'
const DARK = '(prefers-color-scheme: dark)'

const THEME: Look<Theme> = { name: 'theme', values: ['system', 'light', 'dark'] }
const DENSITY: Look<Density> = { name: 'density', values: ['comfortable', 'compact'] }
const CONTRAST: Look<Contrast> = {
  name: 'contrast',
  values: ['system', 'more'],
  asSystem: () => (matchMedia(MORE_CONTRAST).matches ? 'more' : 'system'),
}

const watchers = new Set<() => void>()

const keyOf = ({ name }: Look<string>) => `gochat-${name}`

function read<T extends string>(look: Look<T>): T {
  const stored = recall(keyOf(look))
  return look.values.find((value) => value === stored) ?? look.values[0]
}

function apply<T extends string>(look: Look<T>): void {
  const chosen = read(look)
  const value = chosen === look.values[0] ? (look.asSystem?.() ?? chosen) : chosen
  if (value === look.values[0]) document.documentElement.removeAttribute(`data-${look.name}`)
  else document.documentElement.setAttribute(`data-${look.name}`, value)
}

/** Puts what was chosen on the page, and follows the system, where that is what was chosen. */
export function applyLooks(): void {
  for (const look of [THEME, DENSITY, CONTRAST] as Look<string>[]) {
    apply(look)
    onRemembered(keyOf(look), () => show(look)) // chosen in another tab
  }
  for (const query of [DARK, MORE_CONTRAST]) {
    matchMedia(query).addEventListener('change', () => withoutMotion(() => apply(CONTRAST)))
  }
}

/** Words and what is behind them change together: colours that fade, each in its own time, can't be read meanwhile. */
function withoutMotion(change: () => void): void {
  const page = document.documentElement
  page.setAttribute('data-still', '')
  change()
  // The next frame has the new colours; only what changes after it may move again.
  requestAnimationFrame(() => requestAnimationFrame(() => page.removeAttribute('data-still')))
}

function choose<T extends string>(look: Look<T>, value: string): void {
  if (!(look.values as readonly string[]).includes(value)) return
  remember(keyOf(look), value)
  show(look)
}

function show(look: Look<string>): void {
  withoutMotion(() => apply(look))
  for (const watcher of watchers) watcher()
}

function useLook<T extends string>(look: Look<T>): [T, (value: string) => void] {
  const value = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => read(look),
  )
  return [value, (next) => choose(look, next)]
}

export const useTheme = () => useLook(THEME)
export const useDensity = () => useLook(DENSITY)
export const useContrast = () => useLook(CONTRAST)
