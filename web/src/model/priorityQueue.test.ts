import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PriorityQueue, insert, rest, toArray } from './priorityQueue'

const order = (a: number, b: number) => a - b
const build = (items: number[]) =>
  items.reduce<PriorityQueue<number>>((queue, item) => insert(queue, item, order), null)

test('gives back any items in order, repeated ones as often as they were put in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      expect(toArray(build(items), order)).toEqual(items.toSorted(order))
    }),
  )
})

test('an older queue is not changed by what is done to it', () => {
  const queue = build([3, 1, 2])
  insert(queue, 0, order)
  rest(queue, order)
  expect(toArray(queue, order)).toEqual([1, 2, 3])
})

test('the rest of nothing is nothing', () => {
  expect(rest(null, order)).toBeNull()
})
