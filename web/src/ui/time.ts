const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const dayLong = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const dayShort = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })
const medium = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })

const DAY_MS = 86_400_000

/** A local calendar day as a key: equal for times of the same day. */
export function dayKey(at: string): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`
}

export const clockTime = (at: string) => clock.format(new Date(at))
/** As `clockTime`, without am or pm: where there is little room, and the day is half known. */
export const bareTime = (at: string) =>
  clock
    .formatToParts(new Date(at))
    .filter(({ type }) => type !== 'dayPeriod')
    .map(({ value }) => value)
    .join('')
    .trim()
export const dayAndTime = (at: string) => medium.format(new Date(at))
export const fullTime = (at: string) => full.format(new Date(at))

/** "Today", "Yesterday", or the day. */
export function dayName(at: string, now = Date.now()): string {
  if (dayKey(at) === dayKey(new Date(now).toISOString())) return 'Today'
  if (dayKey(at) === dayKey(new Date(now - DAY_MS).toISOString())) return 'Yesterday'
  return dayLong.format(new Date(at))
}

/** As short as it can be said: the time today, the weekday within a week, else the date. */
export function shortTime(at: string, now = Date.now()): string {
  const date = new Date(at)
  if (dayKey(at) === dayKey(new Date(now).toISOString())) return clock.format(date)
  return now - date.getTime() < 6 * DAY_MS ? weekday.format(date) : dayShort.format(date)
}
