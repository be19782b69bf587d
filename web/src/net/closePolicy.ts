/** What to do after a connection has ended: the close code is the server's instruction. */
export type AfterClose =
  /** Back off, then resume. */
  | { do: 'reconnect' }
  /** The token was the trouble (or may have been): get a new one first, then reconnect. */
  | { do: 'refresh' }
  /** The session is over: log in again. */
  | { do: 'login' }
  /** This app and that server do not understand each other: reconnecting would only repeat it. */
  | { do: 'stop'; why: 'outdated' | 'fault' }

/**
 * The policy of the protocol's close-code table.
 *
 * @param code   of the CloseEvent
 * @param opened whether the socket was ever open. A browser can't see a 401 before the upgrade, so a failure before
 *               open asks for a refresh: its answer tells a bad token from a server that is away.
 */
export function afterClose(code: number, opened: boolean): AfterClose {
  if (!opened) return { do: 'refresh' }
  if (code === 4001) return { do: 'refresh' }
  if (code === 4100) return { do: 'login' }
  if (code === 4120) return { do: 'stop', why: 'outdated' }
  if (code === 1009 || (code >= 4100 && code < 4200)) return { do: 'stop', why: 'fault' }
  return { do: 'reconnect' }
}

/** Why there is no connection, as far as this side can know. */
export type Trouble =
  /** It broke, or nothing answers: a network, a server or something between them. */
  | 'lost'
  /** The server said that it leaves; another or a newer one takes over. */
  | 'leaving'
  /** The server can't do its work right now. */
  | 'ailing'
  /** This side read more slowly than was written to it. */
  | 'slow'
  /** This side went on sending although it was told to wait. */
  | 'flooding'
  /** The server answers requests, and lets no connection in: it has as many as it may, or something between forbids it. */
  | 'full'

const TROUBLES: Partial<Record<number, Trouble>> = {
  1001: 'leaving',
  1011: 'ailing',
  1012: 'leaving',
  1013: 'ailing',
  4009: 'slow',
  4029: 'flooding',
}

/**
 * @param code     of the CloseEvent
 * @param opened   whether the socket was ever open: if not, the code says nothing
 * @param answered whether the server has answered a request right before
 */
export function troubleOf(code: number, opened: boolean, answered: boolean): Trouble {
  if (!opened) return answered ? 'full' : 'lost'
  return TROUBLES[code] ?? 'lost'
}
