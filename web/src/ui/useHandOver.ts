import { type RefObject, useLayoutEffect } from 'react'

/** A question that was answered: it still has the focus while it fades out. */
const ANSWERED = '[role="dialog"][data-closed]'

/** In the nearest row on that side in which anything can be pressed. */
function buttonFrom(row: Element, side: 'nextElementSibling' | 'previousElementSibling'): HTMLElement | null {
  const other = row[side]
  return other === null ? null : (other.querySelector('button') ?? buttonFrom(other, side))
}

/** When a row goes that has the focus, or the question of it has, the next one has it, or the one before, or what the rows stand in. */
export function useHandOver(row: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const it = row.current
    return () => {
      const focused = document.activeElement
      if (it === null || !(it.contains(focused) || focused?.closest(ANSWERED))) return
      const next = buttonFrom(it, 'nextElementSibling') ?? buttonFrom(it, 'previousElementSibling')
      const around = it.closest<HTMLElement>('[role="dialog"]') ?? it.parentElement
      if (around !== null && !next) around.tabIndex = -1
      ;(next ?? around)?.focus()
    }
  }, [row])
}
