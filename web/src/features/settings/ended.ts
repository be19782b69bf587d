const places = (count: number) => (count === 1 ? 'one other place' : `${count} other places`)

/** How many sessions were ended, of those that were to be. */
export function endedInWords({ ended, of }: { ended: number; of: number }): string {
  if (of === 0) return 'You are logged in nowhere else.'
  if (ended === of) return `Logged out in ${places(of)}.`
  return ended === 0 ? 'You are still logged in everywhere.' : `Logged out in ${ended} of ${places(of)}.`
}
