import { type ReactNode, useState } from 'react'
import { later } from './later'

export interface DialogProps {
  title: string
  description?: string
  /** For what comes into it later, or changes: on a phone it is as high as the screen all the time. */
  tall?: boolean
  open: boolean
  onClose: () => void
  children: ReactNode
}

/** Loaded with the first dialog, not with the page. */
const DialogPopup = later(() => import('./DialogPopup'))

/** A modal dialog: traps the focus, closes by Escape and outside, gives the focus back. */
export function Dialog(props: DialogProps) {
  const [opened, setOpened] = useState(props.open)
  if (props.open && !opened) setOpened(true)
  return opened ? (
    <DialogPopup {...props} />
  ) : null
}
