import type { ConnectionState, Trouble } from '../model/session'

const REASONS: Record<Trouble, string> = {
  lost: 'The connection was lost.',
  leaving: 'The server is restarting.',
  ailing: 'The server has trouble right now.',
  slow: 'Your connection is too slow for all that comes.',
  flooding: 'Too much was sent from here at once.',
  full: 'The server is there, but takes no connection: it may have too many.',
}
const KEPT = 'What you write is kept and sent later.'
const UNKEPT = 'What you write is sent later if this page stays open: this browser can keep nothing.'

const STOPPED = {
  outdated: 'This page is older than the server. Reload to get the new one.',
  fault: 'The server and this page did not understand each other. Reload to try again.',
  login: 'You were logged out.',
}

export interface ConnectionWords {
  /** What is the matter, and what becomes of what one writes. It stays the same from try to try. */
  matter: string
  /** What is done about it right now. */
  now?: string
  way?: 'try' | 'reload'
}

/**
 * What is said of a connection that is not live.
 *
 * @param lasting what is written outlives the page
 */
export function connectionWords(state: ConnectionState, now: number, lasting: boolean): ConnectionWords | undefined {
  const kept = lasting ? KEPT : UNKEPT
  switch (state.phase) {
    case 'live':
      return undefined
    case 'stopped':
      return { matter: `${STOPPED[state.why]} ${lasting ? 'What you wrote is kept.' : 'Copy what you wrote first: this browser can keep nothing.'}`, way: 'reload' }
    case 'connecting':
      return { matter: state.trouble === undefined ? kept : `${REASONS[state.trouble]} ${kept}`, now: 'Connecting…' }
    case 'waiting': {
      const seconds = Math.ceil((state.retryAt - now) / 1000)
      const countdown = seconds > 0 ? `Trying again in ${seconds} s` : 'Connecting…'
      if (state.offline) return { matter: `You are offline. ${kept}`, way: 'try' }
      return { matter: `${REASONS[state.trouble]} ${kept}`, now: countdown, way: 'try' }
    }
  }
}
