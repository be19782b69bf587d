export interface Press {
  key: string
  shiftKey: boolean
  ctrlKey: boolean
  metaKey: boolean
  isComposing: boolean
  keyCode: number
}

/**
 * Whether a key sends what was written; Enter that doesn't begins a line. Under a finger Enter is for lines: there is no
 * Shift to hold. A keyboard that was put to such a device sends by Ctrl or ⌘ with it.
 */
export function isSend(press: Press, byTouch: boolean): boolean {
  // Enter that ends a word of an input method; Safari tells it by the old key code only.
  if (press.key !== 'Enter' || press.isComposing || press.keyCode === 229) return false
  return byTouch ? press.ctrlKey || press.metaKey : !press.shiftKey
}
