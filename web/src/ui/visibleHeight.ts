const NAME = '--visible-height'

/**
 * Keeps the page within what a phone's keyboard leaves of the window. Where the browser makes the window itself smaller
 * (`interactive-widget=resizes-content` in index.html) there is nothing to do; others lay the keyboard over it, and
 * tell of that by the visual viewport only.
 */
export function followKeyboard(root: HTMLElement): () => void {
  const viewport = window.visualViewport
  if (viewport === null) return () => undefined
  const update = () => {
    if (viewport.scale !== 1) return // enlarged by two fingers: that is no keyboard
    const height = Math.round(viewport.height)
    if (height >= window.innerHeight) {
      root.style.removeProperty(NAME)
      return
    }
    root.style.setProperty(NAME, `${height}px`)
    window.scrollTo(0, 0) // the browser has pushed the page up to show the field, which is in view now
  }
  viewport.addEventListener('resize', update)
  viewport.addEventListener('scroll', update)
  return () => {
    viewport.removeEventListener('resize', update)
    viewport.removeEventListener('scroll', update)
    root.style.removeProperty(NAME)
  }
}
