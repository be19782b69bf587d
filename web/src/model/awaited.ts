import type { UseQueryResult } from '@tanstack/react-query'
import { isRefusal, refusalOf } from './problems'

/**
 * What is said of an answer that has not come (see ui/Awaited): from its first failure on, while it is tried again.
 *
 * @param what was asked for: "the members"
 * @param here what a code means in this place
 */
export function awaited(query: UseQueryResult, what: string, here?: Partial<Record<string, string>>) {
  const { data, isFetching, refetch } = query
  const error = query.error ?? query.failureReason
  return {
    what,
    there: data !== undefined,
    trouble: error === null ? undefined : refusalOf(error, here),
    goesOn: !isRefusal(error),
    asking: isFetching,
    onAgain: () => void refetch(),
  }
}
