/** What is asked for and answered (not live): one function per request, for TanStack Query and for forms. */
import { type Api, type Page, bodyOf } from '../net/api'
import type { PresenceState, Role, Room, User, Visibility } from '../net/frames'
import { isProblem } from './problems'

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

export const updateRoom = (
  api: Api,
  roomId: string,
  body: { name?: string; topic?: string; visibility?: Visibility },
): Promise<Room> => bodyOf(api.PATCH('/rooms/{room_id}', { ...room(roomId), body }))

export const deleteRoom = (api: Api, roomId: string) => bodyOf(api.DELETE('/rooms/{room_id}', room(roomId)))

export const invitesKey = (roomId: string) => ['invites', roomId]

export type Invite = Awaited<ReturnType<typeof listInvites>>[number]

/** Those that can still be used, newest first. */
export const listInvites = (api: Api, roomId: string) =>
  all((cursor) =>
    bodyOf(api.GET('/rooms/{room_id}/invites', { params: { path: { room_id: roomId }, query: { cursor } } })),
  )

/** A link for that many seconds and that many people; null: for ever, for anyone. */
export const createInvite = (api: Api, roomId: string, body: { expires_in_s: number | null; max_uses: number | null }) =>
  bodyOf(api.POST('/rooms/{room_id}/invites', { ...room(roomId), body }))

export const revokeInvite = (api: Api, roomId: string, code: string) =>
  bodyOf(api.DELETE('/rooms/{room_id}/invites/{code}', { params: { path: { room_id: roomId, code } } }))

/** What somebody sees of a room before they accept. */
export type InvitePreview = Awaited<ReturnType<typeof previewInvite>>

export const previewInvite = (api: Api, code: string) =>
  bodyOf(api.GET('/invites/{code}', { params: { path: { code } } }))

export const acceptInvite = (api: Api, code: string): Promise<Room> =>
  bodyOf(api.POST('/invites/{code}/accept', { params: { path: { code } } }))

export const updateMe = (api: Api, body: { display_name: string }): Promise<User> =>
  bodyOf(api.PATCH('/users/me', { body }))

export const changePassword = (api: Api, body: { current_password: string; new_password: string }) =>
  bodyOf(api.PUT('/users/me/password', { body }))

export const sessionsKey = ['sessions']

/** A browser, or another program, in which somebody is logged in. */
export type LoginSession = Awaited<ReturnType<typeof listSessions>>[number]

export const listSessions = (api: Api) =>
  all((cursor) => bodyOf(api.GET('/auth/sessions', { params: { query: { cursor } } })))

export const revokeSession = (api: Api, id: string) =>
  bodyOf(api.DELETE('/auth/sessions/{id}', { params: { path: { id } } }))

/** Logs out everywhere but here, as far as it goes: in how many places, of how many, and why not in all. */
export async function revokeOthers(api: Api): Promise<{ ended: number; of: number; error?: unknown }> {
  const others = (await listSessions(api)).filter(({ current }) => !current)
  for (const [ended, { id }] of others.entries()) {
    try {
      await revokeSession(api, id)
    } catch (error) {
      if (!isProblem(error, 'not_found')) return { ended, of: others.length, error } // else it has ended by itself
    }
  }
  return { ended: others.length, of: others.length }
}
