import { type RefObject, useLayoutEffect } from 'react'

/** A question that was answered: it still has the focus while it fades out. */
const ANSWERED = '[role="dialog"][data-closed]'

/** When a row goes that has the focus, or the question of it has, the next one has it, or the one before, or what the rows stand in. */
export function useHandOver(row: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const it = row.current
    return () => {
      const focused = document.activeElement
      if (it === null || !(it.contains(focused) || focused?.closest(ANSWERED))) return
      const next = [it.nextElementSibling, it.previousElementSibling].map((other) => other?.querySelector('button')).find(Boolean)
      const around = it.closest<HTMLElement>('[role="dialog"]') ?? it.parentElement
      if (around !== null && !next) around.tabIndex = -1
      ;(next ?? around)?.focus()
    }
  }, [row])
}
