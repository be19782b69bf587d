import { useEffect, useEffectEvent } from 'react'

export type Shortcut = 'switch' | 'previous' | 'next' | 'help' | 'write' | 'type'

/** What is told of a key press. */
export interface Press {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

/**
 * What a key press asks for.
 *
 * @param where whether the focus is in a field, and whether a dialog or a menu is open: what is open keeps its keys
 */
export function shortcutOf(press: Press, where: { inField: boolean; covered: boolean }): Shortcut | undefined {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = press
  const command = ctrlKey !== metaKey
  if (command && !altKey && !shiftKey && key.toLowerCase() === 'k') return 'switch'
  if (where.covered || ctrlKey || metaKey) return undefined
  if (altKey) {
    if (shiftKey) return undefined
    return key === 'ArrowUp' ? 'previous' : key === 'ArrowDown' ? 'next' : undefined
  }
  if (key === 'Escape') return 'write'
  if (where.inField) return undefined
  if (key === '?') return 'help'
  // A letter means nothing where nothing is written: it is the beginning of a message. A space scrolls, or presses what has the focus.
  return key.length === 1 && key !== ' ' ? 'type' : undefined
}

const FIELDS = 'input, textarea, select, [contenteditable]'
/** Those that are about to go still stand in the page. */
const COVERS = ':is([role="dialog"], [role="menu"])[data-open]'

/** Listens for shortcuts as long as the component is on the page. Those that it does not name are left to others. */
export function useShortcuts(runs: Partial<Record<Shortcut, () => void>>): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.isComposing) return
    const inField = event.target instanceof Element && event.target.closest(FIELDS) !== null
    const shortcut = shortcutOf(event, { inField, covered: document.querySelector(COVERS) !== null })
    const run = shortcut === undefined ? undefined : runs[shortcut]
    if (run === undefined) return
    if (shortcut !== 'type') event.preventDefault() // that key is still to be written
    run()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event)
    // Before everybody else: what closes at this key is still open then.
    addEventListener('keydown', listener, true)
    return () => removeEventListener('keydown', listener, true)
  }, [])
}
