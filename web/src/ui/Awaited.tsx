import styles from './Awaited.module.css'
import { Button } from './Button'
import { FormError } from './Field'

interface AwaitedProps {
  /** What was asked for: "the members". */
  what: string
  /** Whether it is there, perhaps as it was some time ago. */
  there: boolean
  /** Why it does not come, in plain words, and how long asking again is of no use. */
  trouble?: { children?: string; until?: number }
  /** Whether it is tried again by itself; else asking again is of no use. */
  goesOn: boolean
  asking: boolean
  onAgain: () => void
}

/** What stands where an answer is to come: nothing for a moment, then that it is waited for, and why it does not come. */
export function Awaited({ what, there, trouble, goesOn, asking, onAgain }: AwaitedProps) {
  if (trouble === undefined) {
    return there ? null : <Waiting what={what} />
  }
  return (
    <div className={styles.trouble}>
      <FormError {...trouble} />
      {goesOn && (
        <>
          <p className={styles.hint}>
            {there && 'What you see may be old. '}
            It is tried again by itself.
          </p>
          <Button busy={asking} until={trouble.until} onClick={onAgain}>
            Try now
          </Button>
        </>
      )}
    </div>
  )
}

/** Most answers come before this is seen. */
export function Waiting({ what }: Pick<AwaitedProps, 'what'>) {
  return (
    <p role="status" className={styles.waiting}>
      Waiting for {what}…
    </p>
  )
}
