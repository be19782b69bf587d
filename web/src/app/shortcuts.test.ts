import { expect, test } from 'vitest'
import { type Press, shortcutOf } from './shortcuts'

const press = (key: string, held: Partial<Press> = {}): Press => ({
  key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held,
})
const FREE = { inField: false, covered: false }
const IN_FIELD = { inField: true, covered: false }
const COVERED = { inField: false, covered: true }

test.each([
  ['Ctrl+K', press('k', { ctrlKey: true }), FREE, 'switch'],
  ['⌘K', press('k', { metaKey: true }), IN_FIELD, 'switch'],
  ['Ctrl+K with caps lock', press('K', { ctrlKey: true }), FREE, 'switch'],
  ['Ctrl+K over a dialog: closes or replaces it', press('k', { ctrlKey: true }), COVERED, 'switch'],
  ['Ctrl+Shift+K is the browser\'s', press('K', { ctrlKey: true, shiftKey: true }), FREE, undefined],
  ['k', press('k'), FREE, 'type'],
  ['k in a field', press('k'), IN_FIELD, undefined],
  ['k in a menu', press('k'), COVERED, undefined],
  ['Space', press(' '), FREE, undefined],
  ['Enter', press('Enter'), FREE, undefined],
  ['Alt+↑', press('ArrowUp', { altKey: true }), IN_FIELD, 'previous'],
  ['Alt+↓', press('ArrowDown', { altKey: true }), FREE, 'next'],
  ['Alt+↓ in a dialog', press('ArrowDown', { altKey: true }), COVERED, undefined],
  ['Ctrl+Alt+↓', press('ArrowDown', { altKey: true, ctrlKey: true }), FREE, undefined],
  ['↓', press('ArrowDown'), FREE, undefined],
  ['Escape', press('Escape'), FREE, 'write'],
  ['Escape in a dialog closes that', press('Escape'), COVERED, undefined],
  ['?', press('?', { shiftKey: true }), FREE, 'help'],
  ['? in a field is a question mark', press('?', { shiftKey: true }), IN_FIELD, undefined],
] as const)('%s', (_, pressed, where, asked) => {
  expect(shortcutOf(pressed, where)).toBe(asked)
})
