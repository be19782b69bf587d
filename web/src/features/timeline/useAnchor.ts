import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { type Held, heldAfter, isEnd, isNear, isResized, standOf } from './anchor'

const SETTLE_MS = 600
const NOWHERE = { below: 0, content: 0, height: 0 }

/**
 * Holds a scrolling element at its end, or at a place in it, while content grows, rows are measured and the element itself
 * is resized (a keyboard opens), until somebody scrolls away; and at the end again once they are back there.
 *
 * @param content  changes when the element's children are others
 * @param isPart   whether the content ends before the end: then there is nothing to be held at
 * @param placeTop how far from the content's beginning the view of the place begins, as far as sizes are known
 */
export function useAnchor(content: number, isPart: boolean, placeTop: (element: Pick<Element, 'clientHeight'>) => number | undefined) {
  const scroller = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const held = useRef<Held>('end')
  const last = useRef(NOWHERE)
  const edge = useRef<number>(undefined)
  /** Where the upper edge was when the place was gone to. */
  const placedAt = useRef<number>(undefined)
  const seesEnd = useRef(true)
  const topOf = useRef(placeTop)
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined)

  const tell = useCallback((isThere: boolean) => {
    seesEnd.current = isThere
    setAtEnd(isThere)
  }, [])
  const hold = useCallback(
    (next: Held) => {
      if (next === 'place' && held.current === next) return // what is seen from there is told when it has settled
      held.current = next
      tell(next === 'end')
    },
    [tell],
  )

  /** Where the end is in view of the place, one is at the end: held there only if that moves nothing. But not before rows have been measured there. */
  const settle = useCallback(() => {
    if (held.current !== 'place' || isPart) return
    if (isEnd(last.current)) hold('end')
    else tell(isNear(last.current))
  }, [hold, tell, isPart])
  useEffect(() => () => clearTimeout(settling.current), [content])

  /** Whenever something may have moved or been resized: what is held is gone to again. */
  const keep = useCallback(() => {
    const element = scroller.current
    if (element === null) return
    const { top: now } = element.getBoundingClientRect()
    const movedBy = now - (edge.current ?? now)
    edge.current = now
    if (held.current === undefined) {
      if (movedBy === 0) return
      // Something came above it, as the banner does, or went: what one reads stays where it is.
      element.scrollBy({ top: movedBy, behavior: 'instant' })
      last.current = standOf(element)
      return
    }
    if (held.current === 'end') element.scrollTo({ top: element.scrollHeight, behavior: 'instant' })
    else {
      // What came above it since has taken of its height, and moves nothing either.
      const taken = now - (placedAt.current ??= now)
      const top = topOf.current({ clientHeight: element.clientHeight + taken })
      if (top !== undefined) element.scrollTo({ top: top + taken, behavior: 'instant' })
    }
    last.current = standOf(element)
    clearTimeout(settling.current)
    if (held.current !== 'place') return
    if (!isNear(last.current)) tell(false) // more came than is in view
    settling.current = setTimeout(settle, SETTLE_MS)
  }, [settle, tell])

  const go = useCallback(
    (to: Held) => {
      hold(to)
      placedAt.current = undefined
      keep()
    },
    [hold, keep],
  )
  const toEnd = useCallback(() => go('end'), [go])
  const toPlace = useCallback(() => go('place'), [go])

  /** Whether the end is in view at this moment (`atEnd` tells of the last rendering). */
  const isAtEnd = useCallback(() => seesEnd.current, [])

  const onScroll = useCallback(() => {
    const element = scroller.current
    if (element === null) return
    const from = last.current
    last.current = standOf(element)
    hold(heldAfter(held.current, isPart, from, last.current))
    if (isResized(from, last.current)) keep()
  }, [hold, keep, isPart])

  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const observer = new ResizeObserver(keep)
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => observer.disconnect()
  }, [content, keep])

  // After every render: new rows at the end are shown before they are painted. But not if all is of the same size: a focus
  // that moved up has scrolled already, and is heard of later.
  useLayoutEffect(() => {
    topOf.current = placeTop
    if (scroller.current !== null && isResized(last.current, standOf(scroller.current))) keep()
  })

  return { scroller, atEnd, isAtEnd, onScroll, onResize: keep, toEnd, toPlace }
}
