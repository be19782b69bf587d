import { Suspense, lazy } from 'react'
import { Dialog } from '../../ui/Dialog'

/** Loaded when it is first opened, not with the page. */
const SettingsPanel = lazy(() => import('./SettingsPanel'))

/** Everything that one decides about oneself. */
export function SettingsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Settings" open={open} onClose={onClose}>
      <Suspense>
        <SettingsPanel />
      </Suspense>
    </Dialog>
  )
}
