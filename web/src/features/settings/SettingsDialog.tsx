import { Dialog } from '../../ui/Dialog'
import { later } from '../../ui/later'

/** Loaded when it is first opened, not with the page. */
const SettingsPanel = later(() => import('./SettingsPanel'))

/** Everything that one decides about oneself. */
export function SettingsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Settings" open={open} onClose={onClose}>
      <SettingsPanel />
    </Dialog>
  )
}
