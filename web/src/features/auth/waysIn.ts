import type { Instance } from '../../model/requests'

export type AuthMode = 'login' | 'register' | 'guest'

/**
 * The ways in that the server has for somebody with or without an invite.
 *
 * @param instance undefined as long as the server has not said: then what is usual
 */
export function waysIn(instance: Instance | undefined, inviteCode: string | undefined): AuthMode[] {
  const registration = instance?.registration ?? 'open'
  const mayRegister = registration === 'open' || (registration === 'invite' && inviteCode !== undefined)
  return ['login', ...(mayRegister ? ['register' as const] : []), ...(instance?.guests === true ? ['guest' as const] : [])]
}

/** Why there is no way to make an account, and what to do about it; undefined where there is one. */
export function whyClosed(instance: Instance | undefined, inviteCode: string | undefined): string | undefined {
  if (instance?.registration === 'closed') return 'New accounts are made by whoever runs this chat: ask them for one.'
  if (instance?.registration === 'invite' && inviteCode === undefined) {
    return 'New here? You need an invite link: ask somebody who is in a room for one, and open it.'
  }
  return undefined
}
