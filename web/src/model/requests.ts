/** What is asked for and answered (not live): one function per request, for TanStack Query and for forms. */
import { type Api, type Page, bodyOf } from '../net/api'
import type { PresenceState, Role, Room, User, Visibility } from '../net/frames'

export type { Role }

export interface Member {
  user: User
  role: Role
  joined_at: string
  presence: PresenceState
}

/** Reads a paged collection to its end. */
async function all<T>(page: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const answer: Page<T> = await page(cursor)
    items.push(...answer.items)
    cursor = answer.next_cursor ?? undefined
  } while (cursor !== undefined)
  return items
}

/** Which ways in the server has. */
export type Instance = Awaited<ReturnType<typeof getInstance>>

export const getInstance = (api: Api) => bodyOf(api.GET('/instance'))

export const membersKey = (roomId: string) => ['members', roomId]

const room = (room_id: string) => ({ params: { path: { room_id } } })

export const createRoom = (
  api: Api,
  body: { name: string; topic?: string; visibility: Visibility },
): Promise<Room> => bodyOf(api.POST('/rooms', { body }))

export const publicRooms = async (api: Api, query: string): Promise<Room[]> => {
  const { items } = await bodyOf(api.GET('/rooms/public', { params: { query: query === '' ? {} : { query } } }))
  return items
}

export const joinRoom = (api: Api, roomId: string): Promise<Room> =>
  bodyOf(api.POST('/rooms/{room_id}/join', room(roomId)))

export const leaveRoom = (api: Api, roomId: string) => bodyOf(api.POST('/rooms/{room_id}/leave', room(roomId)))

export const listMembers = (api: Api, roomId: string): Promise<Member[]> =>
  all((cursor) =>
    bodyOf(
      api.GET('/rooms/{room_id}/members', {
        params: { path: { room_id: roomId }, query: { limit: 200, cursor } },
      }),
    ),
  )

const member = (room_id: string, user_id: string) => ({ params: { path: { room_id, user_id } } })

export const setRole = (api: Api, roomId: string, userId: string, role: Role) =>
  bodyOf(api.PATCH('/rooms/{room_id}/members/{user_id}', { ...member(roomId, userId), body: { role } }))

export const removeMember = (api: Api, roomId: string, userId: string) =>
  bodyOf(api.DELETE('/rooms/{room_id}/members/{user_id}', member(roomId, userId)))

export const createInvite = (api: Api, roomId: string) =>
  bodyOf(api.POST('/rooms/{room_id}/invites', { ...room(roomId), body: {} }))

/** What somebody sees of a room before they accept. */
export type InvitePreview = Awaited<ReturnType<typeof previewInvite>>

export const previewInvite = (api: Api, code: string) =>
  bodyOf(api.GET('/invites/{code}', { params: { path: { code } } }))

export const acceptInvite = (api: Api, code: string): Promise<Room> =>
  bodyOf(api.POST('/invites/{code}/accept', { params: { path: { code } } }))
