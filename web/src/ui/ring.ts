/** Before anything was pressed in it a page may make no sound, and the browser complains of one that tries. Older browsers don't say. */
export const mayRing = () => (navigator as Partial<Pick<Navigator, 'userActivation'>>).userActivation?.hasBeenActive ?? true

/** Lets two soft tones be heard, loaded when they first are. Where that can't be done nothing is lost: what is unread is counted. */
export async function ring(): Promise<void> {
  try {
    const { chime } = await import('./chime')
    await chime()
  } catch {
    // The server is away, or nothing here makes sounds.
  }
}
