import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

const NEAR_END_PX = 40
const USER_MS = 1_000
const SETTLE_MS = 600
const isNearEnd = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement) => scrollHeight - scrollTop - clientHeight < NEAR_END_PX
const endOf = (element: HTMLElement) => element.scrollTo({ top: element.scrollHeight, behavior: 'instant' })
const USER_EVENTS = ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const

/**
 * Keeps a scrolling element at its end while content grows and while the element itself is resized (a keyboard opens),
 * until the user scrolls up; and again once they are back. Only the user lets go of the end: a scroll event by itself
 * may as well come from rows being measured.
 *
 * @param content changes when the element's children are others
 * @param isPart  whether the content ends before the end: then there is nothing to be held at
 */
export function useEndAnchor(content: number, isPart: boolean) {
  const scroller = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const holds = useRef(true)
  const userAt = useRef(0)
  const lastTop = useRef(0)
  const settlesAt = useRef(0)
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined)

  const hold = useCallback((next: boolean) => {
    holds.current = next
    setAtEnd(next)
  }, [])

  const toEnd = useCallback(() => {
    hold(true)
    if (scroller.current !== null) endOf(scroller.current)
  }, [hold])

  /**
   * For a place to be gone to: until rows have been measured there, being near the end says nothing; then it may be in
   * view after all.
   */
  const letGo = useCallback(() => {
    hold(false)
    settlesAt.current = performance.now() + SETTLE_MS
    clearTimeout(settling.current)
    settling.current = setTimeout(() => {
      if (!isPart && scroller.current !== null && isNearEnd(scroller.current)) hold(true)
    }, SETTLE_MS)
  }, [hold, isPart])
  useEffect(() => () => clearTimeout(settling.current), [content])

  /** Whether the end is in view at this moment (`atEnd` tells of the last rendering). */
  const isAtEnd = useCallback(() => holds.current, [])

  const onScroll = useCallback(() => {
    const element = scroller.current
    if (element === null) return
    const movedUp = element.scrollTop < lastTop.current
    lastTop.current = element.scrollTop
    const now = performance.now()
    const byUser = now - userAt.current < USER_MS
    if (!isPart && isNearEnd(element) && (byUser || now > settlesAt.current)) hold(true)
    else if (movedUp && byUser) hold(false)
  }, [hold, isPart])

  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const onUser = () => {
      userAt.current = performance.now()
    }
    for (const name of USER_EVENTS) element.addEventListener(name, onUser, { passive: true })
    const observer = new ResizeObserver(() => {
      if (holds.current) endOf(element)
    })
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => {
      observer.disconnect()
      for (const name of USER_EVENTS) element.removeEventListener(name, onUser)
    }
  }, [content])

  // After every render: new rows at the end are shown before they are painted.
  useLayoutEffect(() => {
    if (scroller.current !== null && holds.current) endOf(scroller.current)
  })

  return { scroller, atEnd, isAtEnd, onScroll, toEnd, letGo }
}
