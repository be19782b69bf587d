/** What is asked for and answered (not live): one function per request, for TanStack Query and for forms. */
import { type Api, bodyOf } from '../net/api'
import type { PresenceState, Role, Room, User, Visibility } from '../net/frames'

export type { Role }

export interface Member {
  user: User
  role: Role
  joined_at: string
  presence: PresenceState
}

export interface Invite {
  code: string
  url: string
  expires_at: string | null
  max_uses: number | null
  uses: number
}

export interface InvitePreview {
  name: string
  topic: string
  memberCount: number
  invitedBy: string
}

interface Page<T> {
  items: T[] | null
  next_cursor?: string
}

/** Reads a paged collection to its end. */
async function all<T>(page: (cursor?: string) => Promise<Page<unknown>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const answer = await page(cursor)
    items.push(...((answer.items ?? []) as T[]))
    cursor = answer.next_cursor
  } while (cursor !== undefined && cursor !== '')
  return items
}

export const membersKey = (roomId: string) => ['members', roomId]

const room = (room_id: string) => ({ params: { path: { room_id } } })

export const createRoom = (api: Api, body: { name: string; topic?: string; visibility: Visibility }) =>
  bodyOf(api.POST('/api/v1/rooms', { body })) as Promise<Room>

export const publicRooms = async (api: Api, query: string): Promise<Room[]> => {
  const { items } = await bodyOf(api.GET('/api/v1/rooms/public', { params: { query: query === '' ? {} : { query } } }))
  return (items ?? [])
}

export const joinRoom = (api: Api, roomId: string) =>
  bodyOf(api.POST('/api/v1/rooms/{room_id}/join', room(roomId))) as Promise<Room>

export const leaveRoom = (api: Api, roomId: string) => bodyOf(api.POST('/api/v1/rooms/{room_id}/leave', room(roomId)))

export const listMembers = (api: Api, roomId: string): Promise<Member[]> =>
  all((cursor) =>
    bodyOf(
      api.GET('/api/v1/rooms/{room_id}/members', {
        params: { path: { room_id: roomId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  )

export const setRole = (api: Api, roomId: string, userId: string, role: Role) =>
  bodyOf(
    api.PATCH('/api/v1/rooms/{room_id}/members/{user_id}', {
      params: { path: { room_id: roomId, user_id: userId } },
      body: { role },
    }),
  )

export const removeMember = (api: Api, roomId: string, userId: string) =>
  bodyOf(
    api.DELETE('/api/v1/rooms/{room_id}/members/{user_id}', {
      params: { path: { room_id: roomId, user_id: userId } },
    }),
  )

export const createInvite = (api: Api, roomId: string) =>
  bodyOf(api.POST('/api/v1/rooms/{room_id}/invites', { ...room(roomId), body: {} })) as Promise<Invite>

export const previewInvite = async (api: Api, code: string): Promise<InvitePreview> => {
  const preview = await bodyOf(api.GET('/api/v1/invites/{code}', { params: { path: { code } } }))
  return {
    name: preview.room.name,
    topic: preview.room.topic,
    memberCount: preview.room.member_count,
    invitedBy: preview.invited_by.display_name,
  }
}

export const acceptInvite = (api: Api, code: string) =>
  bodyOf(api.POST('/api/v1/invites/{code}/accept', { params: { path: { code } } })) as Promise<Room>
