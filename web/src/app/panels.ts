import { createContext } from 'react'

/** What may lie over the chat, one at a time. */
export type Panel = 'create' | 'discover' | 'switch' | 'help' | 'settings'

/** Opens a panel from within a page. */
export const OpenPanel = createContext<(which: Panel) => void>(() => undefined)
