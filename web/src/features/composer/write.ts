/** Writes at the caret, or over what is selected, as if by hand: it can be undone. */
export function write(field: HTMLTextAreaElement, text: string): void {
  field.focus()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way that keeps what can be undone
  if (document.execCommand('insertText', false, text)) return
  field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end')
  field.dispatchEvent(new Event('input', { bubbles: true }))
}

/** What a pasted address becomes over words that are selected: a link of them. Undefined where it is to be pasted as it is. */
export function linkOver(selected: string, pasted: string): string | undefined {
  const address = pasted.trim()
  if (selected.trim() === '' || /[\n\]]/.test(selected) || !/^https?:\/\/[^\s()<>]+$/i.test(address)) return undefined
  return `[${selected}](${address})`
}

/** Whether a text will look other than it is written: pairs of marks, lists, quotes, headings, links by words. */
export function looksFormatted(text: string): boolean {
  return /([*_~`]).*\1|^[>#] ?\S|^ *([-+*]|\d+[.)]) \S|\[[^\]]+\]\(/ms.test(text)
}
