import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

const NEAR_END_PX = 40
const USER_MS = 1_000
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

  const hold = useCallback((next: boolean) => {
    holds.current = next
    setAtEnd(next)
  }, [])

  const toEnd = useCallback(() => {
    hold(true)
    if (scroller.current !== null) endOf(scroller.current)
  }, [hold])

  const letGo = useCallback(() => hold(false), [hold])

  /** Whether the end is in view at this moment (`atEnd` tells of the last rendering). */
  const isAtEnd = useCallback(() => holds.current, [])

  const onScroll = useCallback(() => {
    const element = scroller.current
    if (element === null) return
    const { scrollTop, scrollHeight, clientHeight } = element
    const movedUp = scrollTop < lastTop.current
    lastTop.current = scrollTop
    if (!isPart && scrollHeight - scrollTop - clientHeight < NEAR_END_PX) hold(true)
    else if (movedUp && performance.now() - userAt.current < USER_MS) hold(false)
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
