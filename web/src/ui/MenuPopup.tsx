import { Menu as Base } from '@base-ui/react/menu'
import { useRef } from 'react'
import { useLayer } from './layers'
import type { MenuPopupProps } from './Menu'
import styles from './Menu.module.css'

export default function MenuPopup({ label, anchor, side, align, open, byKeys, onClose, choice, actions }: MenuPopupProps) {
  const chosen = useRef<() => void>(undefined)
  useLayer(open, () => {
    onClose()
    return true
  })
  return (
    <Base.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) onClose()
      }}
      onOpenChangeComplete={(isOpen) => {
        if (isOpen) return
        // Not before the menu has given the focus back: a dialog that is opened by it would lose it again.
        chosen.current?.()
        chosen.current = undefined
      }}
    >
      <Base.Portal>
        <Base.Positioner anchor={anchor} side={side} align={align} sideOffset={6} className={styles.positioner}>
          <Base.Popup
            aria-label={label}
            finalFocus={anchor}
            className={styles.popup}
            onFocus={({ target, currentTarget, relatedTarget }) => {
              if (!byKeys || target !== currentTarget || relatedTarget !== anchor.current) return
              currentTarget.querySelector<HTMLElement>('[role^="menuitem"]')?.focus()
            }}
          >
            {choice !== undefined && (
              <Base.Group>
                <Base.GroupLabel className={styles.label}>{choice.label}</Base.GroupLabel>
                <Base.RadioGroup value={choice.value} onValueChange={choice.onChange}>
                  {choice.options.map(({ value, label: text, icon }) => (
                    <Base.RadioItem key={value} value={value} className={styles.item} closeOnClick={false}>
                      {icon}
                      {text}
                    </Base.RadioItem>
                  ))}
                </Base.RadioGroup>
                <Base.Separator className={styles.line} />
              </Base.Group>
            )}
            {actions.map(({ label: text, icon, danger, onSelect }) => (
              <Base.Item key={text} className={danger === true ? styles.dangerItem : styles.item} onClick={() => (chosen.current = onSelect)}>
                {icon}
                {text}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
