import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { isNear, isResized, placeOf, saysOfEnd } from './endAnchor'

const SETTLE_MS = 600
const NOWHERE = { below: 0, content: 0, height: 0 }

/**
 * Keeps a scrolling element at its end while content grows and while the element itself is resized (a keyboard opens),
 * until somebody scrolls up; and again once they are back.
 *
 * @param content changes when the element's children are others
 * @param isPart  whether the content ends before the end: then there is nothing to be held at
 */
export function useEndAnchor(content: number, isPart: boolean) {
  const scroller = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const holds = useRef(true)
  const last = useRef(NOWHERE)
  const settlesAt = useRef(0)
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined)

  const hold = useCallback((next: boolean) => {
    holds.current = next
    if (scroller.current !== null) last.current = placeOf(scroller.current)
    setAtEnd(next)
  }, [])

  /** Whenever something may have moved or been resized: the end, if it is held, is gone to again. */
  const keep = useCallback(() => {
    const element = scroller.current
    if (element === null || !holds.current) return
    element.scrollTo({ top: element.scrollHeight, behavior: 'instant' })
    last.current = placeOf(element)
  }, [])

  const toEnd = useCallback(() => {
    hold(true)
    keep()
  }, [hold, keep])

  /**
   * For a place to be gone to: until rows have been measured there, being near the end says nothing; then it may be in
   * view after all.
   */
  const letGo = useCallback(() => {
    hold(false)
    settlesAt.current = performance.now() + SETTLE_MS
    clearTimeout(settling.current)
    settling.current = setTimeout(() => {
      if (!isPart && scroller.current !== null && isNear(placeOf(scroller.current))) hold(true)
    }, SETTLE_MS)
  }, [hold, isPart])
  useEffect(() => () => clearTimeout(settling.current), [content])

  /** Whether the end is in view at this moment (`atEnd` tells of the last rendering). */
  const isAtEnd = useCallback(() => holds.current, [])

  const onScroll = useCallback(() => {
    const element = scroller.current
    if (element === null) return
    const from = last.current
    last.current = placeOf(element)
    const said = saysOfEnd(holds.current, from, last.current)
    if (said === 'left') hold(false)
    else if (said === 'reached' && !isPart && performance.now() > settlesAt.current) hold(true)
    else if (isResized(from, last.current)) keep()
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
    if (scroller.current !== null && isResized(last.current, placeOf(scroller.current))) keep()
  })

  return { scroller, atEnd, isAtEnd, onScroll, onResize: keep, toEnd, letGo }
}
