import { Dialog } from '../ui/Dialog'
import { useByTouch } from '../ui/useMedia'
import { alt, command } from './keys'
import styles from './HelpDialog.module.css'

const KEYS: { does: string; keys: string[] }[] = [
  { does: 'Go to a room by its name', keys: [command, 'K'] },
  { does: 'The room above', keys: [alt, '↑'] },
  { does: 'The room below', keys: [alt, '↓'] },
  { does: 'From message to message', keys: ['↑', '↓'] },
  { does: 'To where you write (or just type)', keys: ['Esc'] },
]

const WRITING = [
  { does: 'Send', keys: ['Enter'] },
  { does: 'A new line', keys: ['Shift', 'Enter'] },
]

/** Where Enter is under a finger, and the button sends. */
const WRITING_BY_TOUCH = [
  { does: 'Send', keys: [command, 'Enter'] },
  { does: 'A new line', keys: ['Enter'] },
]

/** What the keyboard can do. */
export function HelpDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const writing = useByTouch() ? WRITING_BY_TOUCH : WRITING
  return (
    <Dialog title="Keyboard shortcuts" open={open} onClose={onClose}>
      <dl className={styles.keys}>
        {[...KEYS, ...writing, { does: 'This list', keys: ['?'] }].map(({ does, keys }) => (
          <div key={does}>
            <dt>{does}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
