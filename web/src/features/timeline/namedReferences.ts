/**
 * Stands in for the package decode-named-character-reference (vite.config.ts), which in a browser decodes by innerHTML: the
 * page's policy forbids that. In a chat `&lt;` is shown as it was written, and `?a=1&copy=2` is not made something else.
 */
export function decodeNamedCharacterReference(): false {
  return false
}
