import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Foot } from '../../ui/Foot'

interface AskLogOutProps {
  /** What it takes away; it is asked while there is something. */
  loss?: string
  onClose: () => void
  onLogOut: () => void
}

/** Asks before a logout that takes something away for good. */
export function AskLogOut({ loss, onClose, onLogOut }: AskLogOutProps) {
  return (
    <Dialog title="Log out?" description={loss} open={loss !== undefined} onClose={onClose}>
      <Foot>
        <Button onClick={onClose}>Stay</Button>
        <Button tone="danger" onClick={onLogOut}>
          Log out
        </Button>
      </Foot>
    </Dialog>
  )
}
