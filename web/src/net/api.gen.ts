// Stand-in until the OpenAPI document exists; the same form as openapi-typescript writes.
import type { Entry, Room, User, Role, PresenceState } from './frames'
type Json<T> = { content: { 'application/json': T } }
type Op<Q, P, B, R> = {
  parameters: { query?: Q; header?: never; path?: P; cookie?: never }
  requestBody: Json<B>
  responses: { 200: { headers: Record<string, unknown> } & Json<R>; default: { headers: Record<string, unknown> } & { content: { 'application/problem+json': { code?: string; detail?: string } } } }
}
type Get<Q, P, R> = { parameters: { query?: Q; header?: never; path?: P; cookie?: never }; requestBody?: never; responses: Op<Q, P, never, R>['responses'] }
type Page<T> = { items: T[] | null; next_cursor?: string }
type None = Record<string, never>
type Signed = { user: User; access_token: string; expires_in: number; token_type: string }
type Member = { user: User; role: Role; joined_at: string; presence: PresenceState }
type Invite = { code: string; url: string; expires_at: string | null; max_uses: number | null; uses: number }
type Preview = { room: { name: string; topic: string; member_count: number }; invited_by: User }
export interface paths {
  '/api/v1/auth/register': { post: Op<never, never, { username: string; password: string; display_name?: string; invite_code?: string }, Signed> }
  '/api/v1/auth/login': { post: Op<never, never, { username: string; password: string }, Signed> }
  '/api/v1/auth/guest': { post: Op<never, never, { display_name: string; invite_code?: string }, Signed> }
  '/api/v1/auth/logout': { post: Get<never, never, None> }
  '/api/v1/users': { get: Get<{ ids?: string; query?: string }, never, Page<User>> }
  '/api/v1/users/me': { get: Get<never, never, User> }
  '/api/v1/rooms': { get: Get<{ cursor?: string; limit?: number }, never, Page<Room>>; post: Op<never, never, { name: string; topic?: string; visibility: 'public' | 'private' }, Room> }
  '/api/v1/rooms/public': { get: Get<{ query?: string; cursor?: string }, never, Page<Room>> }
  '/api/v1/rooms/{room_id}': { get: Get<never, { room_id: string }, Room>; delete: Get<never, { room_id: string }, None> }
  '/api/v1/rooms/{room_id}/join': { post: Get<never, { room_id: string }, Room> }
  '/api/v1/rooms/{room_id}/leave': { post: Get<never, { room_id: string }, None> }
  '/api/v1/rooms/{room_id}/members': { get: Get<{ cursor?: string; limit?: number }, { room_id: string }, Page<Member>> }
  '/api/v1/rooms/{room_id}/members/{user_id}': { patch: Op<never, { room_id: string; user_id: string }, { role: Role }, Member>; delete: Get<never, { room_id: string; user_id: string }, None> }
  '/api/v1/rooms/{room_id}/invites': { get: Get<{ cursor?: string }, { room_id: string }, Page<Invite>>; post: Op<never, { room_id: string }, { expires_in_s?: number | null; max_uses?: number | null }, Invite> }
  '/api/v1/rooms/{room_id}/invites/{code}': { delete: Get<never, { room_id: string; code: string }, None> }
  '/api/v1/invites/{code}': { get: Get<never, { code: string }, Preview> }
  '/api/v1/invites/{code}/accept': { post: Get<never, { code: string }, Room> }
  '/api/v1/rooms/{room_id}/messages': { get: Get<{ before_seq?: number }, { room_id: string }, { items: Entry[]; has_more: boolean }> }
}
