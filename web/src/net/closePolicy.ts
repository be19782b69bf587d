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
