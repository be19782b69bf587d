import { Dialog } from '../ui/Dialog'
import { alt, command } from './keys'
import styles from './HelpDialog.module.css'

const KEYS: { does: string; keys: string[] }[] = [
  { does: 'Go to a room by its name', keys: [command, 'K'] },
  { does: 'The room above', keys: [alt, '↑'] },
  { does: 'The room below', keys: [alt, '↓'] },
  { does: 'From message to message', keys: ['↑', '↓'] },
  { does: 'To where you write (or just type)', keys: ['Esc'] },
  { does: 'Send', keys: ['Enter'] },
  { does: 'A new line', keys: ['Shift', 'Enter'] },
  { does: 'This list', keys: ['?'] },
]

/** What the keyboard can do. */
export function HelpDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" open={open} onClose={onClose}>
      <dl className={styles.keys}>
        {KEYS.map(({ does, keys }) => (
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
