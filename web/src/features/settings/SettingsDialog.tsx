import { later } from '../../ui/later'

/** Everything that one decides about oneself. Loaded when it is first opened, not with the page. */
export const SettingsDialog = later(() => import('./SettingsPanel'))
