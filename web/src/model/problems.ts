import { ApiError } from '../net/api'
import { Unreachable } from '../net/tokens'

/** What each code of docs/protocol.md means to a person, and the way out of it. */
const WORDS: Record<string, string> = {
  bad_credentials: 'That name and password do not fit together. Check both, or ask whoever runs this server for a new password.',
  username_taken: 'Somebody has that name already. Try another.',
  registration_closed: 'New accounts are not open here. Ask whoever runs this chat for an invite.',
  guests_disabled: 'Guests are not admitted here. Create an account instead.',
  invite_invalid: 'This invite has expired, was used up, or never existed. Ask for a new one.',
  invite_required: 'This room is private: you need an invite. Ask one of its members for a link.',
  last_owner: 'You are the only owner. Make somebody else an owner first.',
  not_a_member: 'You are not a member of this room any more. To come back, ask for an invite link.',
  forbidden: 'Your role in this room does not allow that. Ask one of its owners.',
  not_found: 'That does not exist any more.',
  too_long: 'That is too long. Shorten it.',
  empty: 'There is nothing in it. Write something first.',
  bad_request: 'Something in it is not as it has to be. Check what you entered, and try again.',
  rate_limited: 'Too many tries. Wait a little, and try again.',
  unavailable: 'The server can’t do that right now. Try again in a moment.',
  internal: 'The server has a problem. Try again soon.',
  unauthorized: 'Your login is not good any more. Reload the page and log in again.',
  session_revoked: 'You were logged out. Log in again.',
  unknown_type: 'The server does not know how to do that. Reload the page: it may be of another version.',
}

/** An error code in plain words, for messages that were refused. */
export function wordsFor(code: string | undefined): string {
  return (code === undefined ? undefined : WORDS[code]) ?? 'The server refused it.'
}

/** A failure as it is said (see FormError), and, where the server has said so, the moment before which trying again is of no use. */
export interface Refusal {
  children?: string
  until?: number
}

/** @param error null: there is none */
export function refusalOf(error: unknown, here?: Partial<Record<string, string>>): Refusal {
  if (error === null) return {}
  return { children: explain(error, here), until: error instanceof ApiError ? error.until : undefined }
}

/**
 * Any failure of a request in plain words, with the way out; the time to wait is not in them.
 *
 * @param here what a code means in this place, where that can be said better
 */
export function explain(error: unknown, here: Partial<Record<string, string>> = {}): string {
  if (error instanceof Unreachable) return 'The server does not answer. Check your connection and try again.'
  if (!(error instanceof ApiError)) return 'Something went wrong. Try again.'
  if (error.until !== undefined) return error.code === 'rate_limited' ? 'Too many tries.' : 'The server can’t do that right now.'
  return here[error.code] ?? WORDS[error.code] ?? (error.status < 500 ? error.message : 'The server has a problem. Try again soon.')
}

/** Whether a failure has this code. */
export function isProblem(error: unknown, code: string): boolean {
  return error instanceof ApiError && error.code === code
}

/** Whether the server has said no, and would again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && error.retryAfterMs === 0
}

/** When to ask again after a failure, in milliseconds: so soon, or when the server has said. */
export function notBefore(error: unknown, soonestMs: number): number {
  return error instanceof ApiError ? Math.max(soonestMs, error.retryAfterMs) : soonestMs
}
