import { createContext, use, useEffect, useId } from 'react'

/** Asks before a dialog closes; if it may it closes, and then goes on to what is named. */
type Ask = (question: string, then?: () => void) => void

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

/** Whether something would be thrown away. */
export const isTyped = () => typed.size > 0

/** Leads away from all dialogs, if need be after a question. */
export function leaveTyped(go: () => void): void {
  const [kept] = typed.values()
  if (kept === undefined) go()
  else kept.ask(kept.question, go)
}

/** Closes the dialog that asks so, if need be after a question. Whether it closes at once. */
export function closeTyped(close: () => void, within: Ask): boolean {
  const kept = [...typed.values()].find(({ ask }) => ask === within)
  if (kept === undefined) close()
  else within(kept.question)
  return kept === undefined
}
