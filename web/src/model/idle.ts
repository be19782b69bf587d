const AWAY_AFTER_MS = 5 * 60_000
const INPUTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const

/** Tells `away` after 5 minutes without input, or hidden for 5 minutes, and `online` at the first input after. */
export function watchIdle(tell: (state: 'online' | 'away') => void): () => void {
  let away = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const rest = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      away = true
      tell('away')
    }, AWAY_AFTER_MS)
  }
  const onInput = () => {
    if (document.hidden) return
    rest()
    if (!away) return
    away = false
    tell('online')
  }
  for (const name of INPUTS) addEventListener(name, onInput, { passive: true, capture: true })
  rest()
  return () => {
    clearTimeout(timer)
    for (const name of INPUTS) removeEventListener(name, onInput, { capture: true })
  }
}
