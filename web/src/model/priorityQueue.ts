/**
 * A priority queue that is never changed, only replaced: a leftist heap. Insert and take cost O(log n), and the old
 * queue stays valid, which is what a pure reducer needs.
 */
export type PriorityQueue<T> = Heap<T> | null

interface Heap<T> {
  readonly rank: number
  readonly first: T
  readonly left: PriorityQueue<T>
  readonly right: PriorityQueue<T>
}

type Order<T> = (a: T, b: T) => number

function merge<T>(a: PriorityQueue<T>, b: PriorityQueue<T>, order: Order<T>): PriorityQueue<T> {
  if (a === null) return b
  if (b === null) return a
  const [top, other] = order(a.first, b.first) <= 0 ? [a, b] : [b, a]
  const merged = merge(top.right, other, order)
  const [left, right] = (top.left?.rank ?? 0) >= (merged?.rank ?? 0) ? [top.left, merged] : [merged, top.left]
  return { rank: (right?.rank ?? 0) + 1, first: top.first, left, right }
}

export function insert<T>(queue: PriorityQueue<T>, item: T, order: Order<T>): PriorityQueue<T> {
  return merge({ rank: 1, first: item, left: null, right: null }, queue, order)
}

/** The queue without its first item. */
export function rest<T>(queue: PriorityQueue<T>, order: Order<T>): PriorityQueue<T> {
  return queue === null ? null : merge(queue.left, queue.right, order)
}

/** The items in order, for reading. */
export function toArray<T>(queue: PriorityQueue<T>, order: Order<T>): T[] {
  const items: T[] = []
  for (let left = queue; left !== null; left = rest(left, order)) items.push(left.first)
  return items
}
