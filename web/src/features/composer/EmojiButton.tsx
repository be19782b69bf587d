import { Smile } from 'lucide-react'
import { useRef, useState } from 'react'
import { IconButton } from '../../ui/Button'
import { later } from '../../ui/later'

/** Loaded when it is first opened, not with the page. */
const EmojiPopup = later(() => import('./EmojiPopup'))

export function EmojiButton({ onPick }: { onPick: (emoji: string) => void }) {
  const anchor = useRef<HTMLButtonElement>(null)
  const [open, setOpen] = useState<boolean>()
  return (
    <>
      <IconButton ref={anchor} label="Emoji" aria-haspopup="dialog" aria-expanded={open === true} onClick={() => setOpen(true)}>
        <Smile size={19} aria-hidden />
      </IconButton>
      {open !== undefined && (
        <EmojiPopup
          anchor={anchor}
          open={open}
          onClose={() => {
            setOpen(false)
            anchor.current?.focus()
          }}
          onPick={(emoji) => {
            setOpen(false)
            onPick(emoji)
          }}
        />
      )}
    </>
  )
}
