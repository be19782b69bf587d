import { X } from 'lucide-react'
import styles from './NowhereNote.module.css'

interface NowhereNoteProps {
  shown: boolean
  onDismiss: () => void
}

/** Says that a link led nowhere: over the messages, so that nothing moves. */
export function NowhereNote({ shown, onDismiss }: NowhereNoteProps) {
  return (
    <div role="status" aria-label="Link" className={styles.place}>
      {shown && (
        <p className={styles.note}>
          This link leads to a message that is not there.
          <button
            type="button"
            aria-label="Dismiss"
            title="Dismiss"
            onClick={({ currentTarget }) => {
              onDismiss()
              // The button goes, and the focus with it.
              currentTarget.closest('main')?.querySelector<HTMLElement>('[role="log"]')?.focus({ preventScroll: true })
            }}
          >
            <X size={16} aria-hidden />
          </button>
        </p>
      )}
    </div>
  )
}
