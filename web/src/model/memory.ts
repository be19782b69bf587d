/**
 * What this browser remembers from visit to visit. Where it may not (its settings forbid it) or can not (the disk is
 * full), it is remembered for as long as the page is open.
 */
const unkept = new Map<string, string>()

export function recall(key: string): string | undefined {
  const here = unkept.get(key)
  if (here !== undefined) return here
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined // forbidden
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
    unkept.delete(key)
  } catch {
    unkept.set(key, value)
  }
}

export function forget(key: string): void {
  unkept.delete(key)
  try {
    localStorage.removeItem(key)
  } catch {
    // forbidden: nothing was kept there
  }
}

/** Calls back whenever another tab has remembered something else under the key. */
export function onRemembered(key: string, told: () => void): void {
  if (typeof window === 'undefined') return
  window.addEventListener('storage', (event) => {
    if (event.key === key || event.key === null) told()
  })
}
