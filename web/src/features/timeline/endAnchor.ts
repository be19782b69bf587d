/** Where a scrolling element stands, in CSS pixels. */
export interface Place {
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

export const placeOf = ({ scrollTop, scrollHeight, clientHeight }: Element): Place => ({
  below: scrollHeight - clientHeight - scrollTop,
  content: scrollHeight,
  height: clientHeight,
})

export const isResized = (from: Place, to: Place) => from.content !== to.content || from.height !== to.height

export const isNear = ({ below }: Place) => below < NEAR_PX

/**
 * What a scroll from one place to another says about who is held at the end: they let go of it, they are there again, or
 * (undefined) nothing.
 *
 * Input is no witness: finding a word in the page, a screen reader and a focus that moves scroll without any, and many a
 * click is followed by rows that are measured. Sizes are: as long as one is held, the end is gone to whenever a size
 * changes. So where the sizes are still those, it is somebody who scrolled; and where they are not, it is the layout.
 */
export function saysOfEnd(held: boolean, from: Place, to: Place): 'left' | 'reached' | undefined {
  const isThere = to.below < ROUNDING_PX
  if (held) return isThere || isResized(from, to) || to.below <= from.below ? undefined : 'left'
  return isThere || (isNear(to) && to.below < from.below) ? 'reached' : undefined
}
