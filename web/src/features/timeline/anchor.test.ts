import { describe, expect, test } from 'vitest'
import { type Held, heldAfter, isResized } from './anchor'

const END = { below: 0, content: 2_000, height: 600 }
const AWAY = { ...END, below: 500 }

describe('who is held at the end', () => {
  test.each([
    ['scrolls up', { ...END, below: 300 }],
    ['a little', { ...END, below: 4 }],
  ])('lets go of it where the sizes are the same: %s', (_, to) => {
    expect(heldAfter('end', false, END, to)).toBeUndefined()
  })

  test('does not on the way down', () => {
    expect(heldAfter('end', false, { ...END, below: 60 }, { ...END, below: 50 })).toBe('end')
  })
})

describe('whatever is held', () => {
  test.each<[string, Held, typeof END, typeof END]>([
    ['rows were measured, and are smaller', 'end', END, { ...END, below: 73, content: 1_656 }],
    ['or larger', 'end', END, { ...END, below: 300, content: 2_300 }],
    ['or there are others now', 'place', AWAY, { ...END, content: 2_300 }],
    ['a keyboard opened', 'end', END, { ...END, below: 250, height: 350 }],
    ['or closed', 'place', AWAY, { ...AWAY, below: 250, height: 850 }],
    ['a zoom rounds', 'end', END, { ...END, below: 1.4 }],
    ['the scroll was the way there', 'place', AWAY, AWAY],
    ['even where there is the end', 'place', END, END],
    ['it sprang back from beyond the end', 'end', { ...END, below: -20 }, END],
  ])('stays where it was the layout: %s', (_, held, from, to) => {
    expect(heldAfter(held, false, from, to)).toBe(held)
  })
})

describe('who is held at a place', () => {
  test('lets go of it by scrolling either way', () => {
    expect(heldAfter('place', false, AWAY, { ...AWAY, below: 505 })).toBeUndefined()
    expect(heldAfter('place', false, AWAY, { ...AWAY, below: 495 })).toBeUndefined()
  })

  test('is held at the end by scrolling there', () => {
    expect(heldAfter('place', false, AWAY, END)).toBe('end')
  })
})

describe('who is not held', () => {
  test('is once they are at the end, and not before: what they read would jump there with the next change', () => {
    expect(heldAfter(undefined, false, AWAY, END)).toBe('end')
    expect(heldAfter(undefined, false, AWAY, { ...END, below: 1.4 })).toBe('end')
    expect(heldAfter(undefined, false, AWAY, { ...END, below: 39 })).toBeUndefined()
  })

  test('is not as long as they go up, however near they are', () => {
    expect(heldAfter(undefined, false, { ...END, below: 4 }, { ...END, below: 8 })).toBeUndefined()
    expect(heldAfter(undefined, false, { ...END, below: 4 }, { below: 8, content: 2_300, height: 600 })).toBeUndefined()
  })

  test('is not where a part of the log ends', () => {
    expect(heldAfter(undefined, true, AWAY, END)).toBeUndefined()
  })
})

test('a scroll alone resizes nothing', () => {
  expect(isResized(END, { ...END, below: 50 })).toBe(false)
  expect(isResized(END, { ...END, content: 1_999 })).toBe(true)
  expect(isResized(END, { ...END, height: 599 })).toBe(true)
})
