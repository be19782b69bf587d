import { createContext, use, useEffect, useId } from 'react'

/** Asks before a dialog closes; goes on if it may. */
type Ask = (question: string, go: () => void) => void

/** How the dialog around asks. Outside of one nothing is asked. */
export const AskFirst = createContext<Ask | undefined>(undefined)

/** What would be thrown away, by who has it. */
const typed = new Map<string, { ask: Ask; question: string }>()

/** Keeps the dialog around from closing without a question, as long as there is one. */
export function useUnsaved(question: string | undefined): void {
  const ask = use(AskFirst)
  const id = useId()
  useEffect(() => {
    if (ask === undefined || question === undefined) return
    typed.set(id, { ask, question })
    return () => {
      typed.delete(id)
    }
  }, [ask, question, id])
}

/**
 * Goes on, if need be after a question.
 *
 * @param within the dialog that is about to close; undefined for whatever leads away from all of them
 */
export function leaveTyped(go: () => void, within?: Ask): void {
  const kept = [...typed.values()].find(({ ask }) => within === undefined || ask === within)
  if (kept === undefined) go()
  else kept.ask(kept.question, go)
}
