import type { Invite } from '../../model/requests'
import { dayAndTime } from '../../ui/time'

const DAY_S = 24 * 60 * 60

/** How long a link works. */
export const LASTING: Partial<Record<string, { label: string; seconds: number | null }>> = {
  hour: { label: '1 hour', seconds: 60 * 60 },
  day: { label: '1 day', seconds: DAY_S },
  week: { label: '7 days', seconds: 7 * DAY_S },
  month: { label: '30 days', seconds: 30 * DAY_S },
  ever: { label: 'Until revoked', seconds: null },
}

/** For how many people it works. */
export const USES: Partial<Record<string, { label: string; count: number | null }>> = {
  any: { label: 'Any number', count: null },
  one: { label: '1 person', count: 1 },
  five: { label: '5 people', count: 5 },
  many: { label: '25 people', count: 25 },
}

/** What a link is good for, in words. */
export function termsOf({ expires_at, max_uses, uses }: Pick<Invite, 'expires_at' | 'max_uses' | 'uses'>): string {
  const until = expires_at === null ? 'Until revoked' : `Until ${dayAndTime(expires_at)}`
  if (max_uses === null) return uses === 0 ? `${until} · not used yet` : `${until} · used ${times(uses)}`
  return `${until} · used by ${uses} of ${max_uses}`
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times`)

export const linkOf = ({ url }: Pick<Invite, 'url'>, origin: string) => new URL(url, origin).href
