import { later } from '../../ui/later'

/** What a room is called and who may join it; and, for owners, its end. Loaded when it is first opened, not with the page. */
export const RoomSettingsDialog = later(() => import('./RoomSettings'))
