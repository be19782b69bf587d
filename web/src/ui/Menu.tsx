import { type ComponentProps, type ReactNode, type RefObject, Suspense, lazy, useRef, useState } from 'react'

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
  onClose: () => void
  /** One of a few, chosen in the menu, above the actions. */
  choice?: MenuChoice
  actions: readonly MenuAction[]
}

type MenuProps = Pick<MenuPopupProps, 'label' | 'choice' | 'actions'> &
  Partial<Pick<MenuPopupProps, 'side' | 'align'>> &
  Pick<ComponentProps<'button'>, 'className' | 'children'>

/** Loaded with the first menu, not with the page. */
const MenuPopup = lazy(() => import('./MenuPopup'))

/** A button that opens a menu. */
export function Menu({ label, className, children, side = 'bottom', align = 'end', choice, actions }: MenuProps) {
  const anchor = useRef<HTMLButtonElement>(null)
  const [open, setOpen] = useState<boolean>()
  return (
    <>
      <button
        ref={anchor}
        type="button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open === true}
        className={className}
        onClick={() => setOpen(true)}
      >
        {children}
      </button>
      {open !== undefined && (
        <Suspense>
          <MenuPopup
            label={label}
            anchor={anchor}
            side={side}
            align={align}
            open={open}
            onClose={() => setOpen(false)}
            choice={choice}
            actions={actions}
          />
        </Suspense>
      )}
    </>
  )
}
