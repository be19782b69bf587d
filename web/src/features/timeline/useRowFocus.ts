import { type FocusEvent, type KeyboardEvent, useState } from 'react'
import type { Row } from './rows'

const ROWS = 'article[data-row]'

/**
 * The arrow keys go from message to message, instead of every button of every message being a stop of the Tab key: those of
 * the message that has the focus are. What has the focus stays in the page however far one scrolls.
 */
export function useRowFocus(rows: readonly Row[], view: number) {
  // Rows that go with their view take the focus with them, without a word.
  const [focused, setFocused] = useState<{ key: string | undefined; view: number }>()
  const wanted = focused?.view === view ? focused.key : undefined
  const at = wanted === undefined ? -1 : rows.findIndex(({ key }) => key === wanted)
  return {
    /** The rows that are to stay in the page. */
    kept: at < 0 ? undefined : [at],
    onFocus: ({ target }: FocusEvent) => setFocused({ key: target.closest<HTMLElement>(ROWS)?.dataset.row, view }),
    onBlur: () => setFocused(undefined),
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      const { key, altKey, ctrlKey, metaKey, shiftKey, currentTarget } = event
      if ((key !== 'ArrowUp' && key !== 'ArrowDown') || altKey || ctrlKey || metaKey || shiftKey) return
      const next = neighbour(currentTarget, key === 'ArrowUp' ? -1 : 1)
      if (next === undefined) return // the browser scrolls, and more may come
      event.preventDefault()
      next.focus({ preventScroll: true })
      next.scrollIntoView({ block: 'nearest' })
    },
  }
}

/** The message above or below the one with the focus; where that is out of view, or none has it, the one that is last or first in view. */
function neighbour(log: HTMLElement, by: 1 | -1): HTMLElement | undefined {
  const { top, bottom } = log.getBoundingClientRect()
  const isInView = (row: HTMLElement) => {
    const box = row.getBoundingClientRect()
    return box.top < bottom && box.bottom > top
  }
  const all = [...log.querySelectorAll<HTMLElement>(ROWS)]
  const from = all.findIndex((row) => row.contains(document.activeElement) && isInView(row))
  return from < 0 ? all.filter(isInView).at(by < 0 ? -1 : 0) : all[from + by]
}
