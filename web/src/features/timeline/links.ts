/** A message of a room, as a link names it. */
export interface MessagePlace {
  roomId: string
  at?: number
}

export function linkTo(origin: string, roomId: string, seq: number): string {
  return `${origin}/rooms/${encodeURIComponent(roomId)}?at=${seq}`
}

/** Where a link leads within this app; undefined where it leads elsewhere. */
export function placeOf(href: string, origin: string): MessagePlace | undefined {
  const url = URL.canParse(href) ? new URL(href) : undefined
  const room = /^\/rooms\/([^/]+)$/.exec(url?.pathname ?? '')?.[1]
  if (url?.origin !== origin || room === undefined) return undefined
  const at = url.searchParams.get('at') ?? ''
  const roomId = decoded(room)
  return roomId === undefined ? undefined : { roomId, at: /^\d{1,15}$/.test(at) ? Number(at) : undefined }
}

/** Undefined for what is no escape: `%zz` names no room. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
