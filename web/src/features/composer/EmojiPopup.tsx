import { Popover } from '@base-ui/react/popover'
import { type RefObject, useState } from 'react'
import { useLayer } from '../../ui/layers'
import styles from './EmojiPopup.module.css'
import { findEmoji } from './emoji'

export interface EmojiPopupProps {
  anchor: RefObject<HTMLButtonElement | null>
  open: boolean
  onClose: () => void
  onPick: (emoji: string) => void
}

export default function EmojiPopup({ anchor, open, onClose, onPick }: EmojiPopupProps) {
  const [query, setQuery] = useState('')
  const groups = findEmoji(query)
  useLayer(open, () => {
    onClose()
    return true
  })
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) onClose()
      }}
    >
      <Popover.Portal>
        <Popover.Positioner anchor={anchor} side="top" align="end" sideOffset={8} className={styles.positioner}>
          <Popover.Popup aria-label="Emoji" className={styles.popup} finalFocus={false}>
            <input
              type="search"
              aria-label="Find an emoji"
              placeholder="Find an emoji"
              className={styles.search}
              value={query}
              onChange={(event) => setQuery(event.currentTarget.value)}
            />
            <div className={styles.groups}>
              {groups.length === 0 && <p className={styles.none}>None is called that. Your keyboard may have it.</p>}
              {groups.map(({ name, emoji }) => (
                <section key={name} aria-label={name}>
                  <h2>{name}</h2>
                  <div className={styles.grid}>
                    {emoji.map(([each, words]) => (
                      <button key={each} type="button" aria-label={words} title={words} onClick={() => onPick(each)}>
                        {each}
                      </button>
                    ))}
                  </div>
                </section>
              ))}
            </div>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
