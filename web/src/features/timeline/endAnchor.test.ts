import { describe, expect, test } from 'vitest'
import { isResized, saysOfEnd } from './endAnchor'

const END = { below: 0, content: 2_000, height: 600 }

describe('who is held at the end', () => {
  test.each([
    ['scrolled up', { ...END, below: 300 }],
    ['a little', { ...END, below: 4 }],
  ])('lets go of it where the sizes are the same: %s', (_, to) => {
    expect(saysOfEnd(true, END, to)).toBe('left')
  })

  test.each([
    ['rows were measured, and are smaller', { ...END, below: 73, content: 1_656 }],
    ['or larger', { ...END, below: 300, content: 2_300 }],
    ['a keyboard opened', { ...END, below: 250, height: 350 }],
    ['a zoom rounds', { ...END, below: 1.4 }],
    ['the scroll was the way to the end', END],
    ['it sprang back from beyond the end', { ...END, below: 0.5 }],
  ])('does not where it was the layout: %s', (_, to) => {
    expect(saysOfEnd(true, END, to)).toBeUndefined()
  })

  test('nor on the way down', () => {
    expect(saysOfEnd(true, { ...END, below: 30 }, { ...END, below: 20 })).toBeUndefined()
  })
})

describe('who is not held', () => {
  const away = { ...END, below: 100 }

  test('is once they are at the end, or come near it from above', () => {
    expect(saysOfEnd(false, away, END)).toBe('reached')
    expect(saysOfEnd(false, away, { ...END, below: 39 })).toBe('reached')
    expect(saysOfEnd(false, away, { ...END, below: 41 })).toBeUndefined()
  })

  test('is not as long as they go up, however near they are', () => {
    expect(saysOfEnd(false, { ...END, below: 4 }, { ...END, below: 8 })).toBeUndefined()
    expect(saysOfEnd(false, { ...END, below: 4 }, { below: 8, content: 2_300, height: 600 })).toBeUndefined()
  })
})

test('a scroll alone resizes nothing', () => {
  expect(isResized(END, { ...END, below: 50 })).toBe(false)
  expect(isResized(END, { ...END, content: 1_999 })).toBe(true)
  expect(isResized(END, { ...END, height: 599 })).toBe(true)
})
