import { expect, test } from 'vitest'
import { type Press, isSend } from './enter'

const enter: Press = { key: 'Enter', shiftKey: false, ctrlKey: false, metaKey: false, isComposing: false, keyCode: 13 }

test.each<[string, Partial<Press>, boolean, boolean]>([
  ['Enter', {}, true, false],
  ['Shift+Enter', { shiftKey: true }, false, false],
  ['Ctrl+Enter', { ctrlKey: true }, true, true],
  ['⌘+Enter', { metaKey: true }, true, true],
  ['Enter of an input method', { isComposing: true }, false, false],
  ['Enter of an input method, in Safari', { keyCode: 229 }, false, false],
  ['Ctrl+Enter of an input method', { ctrlKey: true, isComposing: true }, false, false],
  ['another key', { key: 'a', ctrlKey: true }, false, false],
])('whether %s sends, with a mouse and by touch', (_, press, sends, sendsByTouch) => {
  expect([isSend({ ...enter, ...press }, false), isSend({ ...enter, ...press }, true)]).toEqual([sends, sendsByTouch])
})
