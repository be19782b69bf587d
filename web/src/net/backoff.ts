const FIRST_MS = 500
const MOST_MS = 30_000

/**
 * Full jitter: how long to wait before try number `attempt` (0 is the first), in milliseconds, evenly spread between 0
 * and 500 ms doubled per attempt, at most 30 s. A thousand clients dropped together so come back spread out.
 *
 * @param random gives a number in [0, 1)
 */
export function fullJitter(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
}
