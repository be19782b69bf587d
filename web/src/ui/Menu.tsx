import { type ComponentProps, type ReactNode, type RefObject, useRef, useState } from 'react'
import { later } from './later'

interface MenuChoice {
  label: string
  value: string
  options: readonly { value: string; label: string; icon: ReactNode }[]
  onChange: (value: string) => void
}

interface MenuAction {
  label: string
  icon: ReactNode
  danger?: boolean
  onSelect: () => void
}

export interface MenuPopupProps {
  label: string
  anchor: RefObject<HTMLButtonElement | null>
  side: 'top' | 'bottom'
  align: 'start' | 'end'
  open: boolean
  /** Opened by a key: the first item then has the focus. */
  byKeys: boolean
  onClose: () => void
  /** One of a few, chosen in the menu, above the actions. */
  choice?: MenuChoice
  actions: readonly MenuAction[]
}

interface MenuButtonProps {
  /** The button has words of its own, and needs no label. */
  inWords?: boolean
}

type MenuProps = MenuButtonProps &
  Pick<MenuPopupProps, 'label' | 'choice' | 'actions'> &
  Partial<Pick<MenuPopupProps, 'side' | 'align'>> &
  Pick<ComponentProps<'button'>, 'className' | 'children'>

/** Loaded with the first menu, not with the page. */
const MenuPopup = later(() => import('./MenuPopup'))

/** A button that opens a menu. */
export function Menu({ label, inWords = false, className, children, side = 'bottom', align = 'end', choice, actions }: MenuProps) {
  const anchor = useRef<HTMLButtonElement>(null)
  const [open, setOpen] = useState<boolean>()
  const [byKeys, setByKeys] = useState(false)
  return (
    <>
      <button
        ref={anchor}
        type="button"
        aria-label={inWords ? undefined : label}
        aria-haspopup="menu"
        aria-expanded={open === true}
        className={className}
        onClick={({ detail }) => {
          setByKeys(detail === 0)
          setOpen(true)
        }}
      >
        {children}
      </button>
      {open !== undefined && (
        <MenuPopup
          label={label}
          anchor={anchor}
          side={side}
          align={align}
          open={open}
          byKeys={byKeys}
          onClose={() => setOpen(false)}
          choice={choice}
          actions={actions}
        />
      )}
    </>
  )
}
