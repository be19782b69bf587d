import type { Page } from '../net/api'
import { fullJitter } from '../net/backoff'
import type { Room } from '../net/frames'
import { isRefusal, notBefore } from './problems'

/**
 * The rooms that a welcome has no place for, page by page. A page that does not come is asked for again; what the server
 * refuses is not. Gives whether all of them came.
 *
 * @param isWanted a later welcome begins anew
 */
export async function takePages(
  cursor: string,
  fetch: (cursor: string) => Promise<Page<Room>>,
  take: (rooms: Room[]) => void,
  isWanted: () => boolean,
): Promise<boolean> {
  let attempt = 0
  for (let next: string | null = cursor; next !== null; ) {
    const page: Page<Room> | Error = await fetch(next).catch((error: unknown) => error as Error)
    if (!isWanted()) return false
    if (page instanceof Error) {
      if (isRefusal(page)) return false
      const delay = notBefore(page, fullJitter(attempt++))
      await new Promise((done) => setTimeout(done, delay))
      if (!isWanted()) return false
      continue
    }
    attempt = 0
    take(page.items)
    next = page.next_cursor
  }
  return true
}
