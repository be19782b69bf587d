/** What a scrolling element is held at: its end, or a place in it that one was led to. */
export type Held = 'end' | 'place' | undefined

/** Where it stands, in CSS pixels. */
export interface Stand {
  /** How far its end is below the edge. */
  below: number
  /** Its content's height. */
  content: number
  /** Its own height, without borders. */
  height: number
}

const NEAR_PX = 40
/** Under a zoom the browser rounds what it tells of heights and of the scroll position, each in its own way. */
const ROUNDING_PX = 2

export const standOf = ({ scrollTop, scrollHeight, clientHeight }: Element): Stand => ({
  below: scrollHeight - clientHeight - scrollTop,
  content: scrollHeight,
  height: clientHeight,
})

export const isResized = (from: Stand, to: Stand) => from.content !== to.content || from.height !== to.height

export const isEnd = ({ below }: Stand) => below < ROUNDING_PX

/** Whether the end is in view, but for what nobody would miss. */
export const isNear = ({ below }: Stand) => below < NEAR_PX

/**
 * What it is held at after a scroll.
 *
 * Input is no witness of who scrolled: finding a word in the page, a screen reader and a focus that moves scroll without
 * any, and many a click is followed by rows that are measured. Sizes are: as long as something is held, it is gone to
 * whenever a size changes. So where the sizes are still those, it is somebody who scrolled; else it is the layout.
 *
 * @param isPart whether the content ends before the end: then there is nothing to be held at
 */
export function heldAfter(held: Held, isPart: boolean, from: Stand, to: Stand): Held {
  if (held !== undefined && isResized(from, to)) return held
  const up = to.below - from.below
  if (held === 'place' && Math.abs(up) < ROUNDING_PX) return held
  if (!isPart && isEnd(to)) return 'end'
  return held === 'end' && up <= 0 ? held : undefined
}
