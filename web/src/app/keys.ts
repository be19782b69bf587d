const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** As they are written on the keys. */
export const command = isApple ? '⌘' : 'Ctrl'
export const alt = isApple ? '⌥' : 'Alt'
