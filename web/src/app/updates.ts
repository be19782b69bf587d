import { Store } from '../model/store'
import { Updates } from '../net/updates'

/** Whether a newer version of the app is there, and is not shown yet. */
export const newerIsThere = new Store(false)

export const updates = new Updates(() => newerIsThere.set(true))
