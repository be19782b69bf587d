/** What was typed of who one is, each in its field; undefined where nothing ever was. */
export interface Typed {
  username?: string
  /** The name of a new account, as others see it. */
  name?: string
  /** The name of a guest. */
  guest?: string
}

const FITS = /^[a-z0-9_.-]{3,32}$/

/** What each way in begins with: what was typed there, or else in another. Passwords are not among it. */
export function startOf({ username, name, guest }: Typed): Required<Typed> {
  const fromGuest = guest?.trim().toLowerCase() ?? ''
  return {
    username: username ?? (FITS.test(fromGuest) ? fromGuest : ''),
    name: name ?? guest ?? '',
    guest: guest ?? [name, username].find(Boolean) ?? '',
  }
}
