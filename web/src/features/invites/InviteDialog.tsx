import { later } from '../../ui/later'

/** Invite links, made and revoked. Loaded when it is first opened, not with the page. */
export const InviteDialog = later(() => import('./Invites'))
