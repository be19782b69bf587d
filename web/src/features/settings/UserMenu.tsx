import { useMutation } from '@tanstack/react-query'
import { ChevronsUpDown, Keyboard, LogOut, Monitor, Moon, Settings, Sun } from 'lucide-react'
import { useState } from 'react'
import { useChat, useMe, useSession } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { Avatar } from '../../ui/Avatar'
import { FormError } from '../../ui/Field'
import { Menu } from '../../ui/Menu'
import { useByTouch } from '../../ui/useMedia'
import { AskLogOut } from './AskLogOut'
import { lossOf } from './loss'
import { useTheme } from './looks'
import styles from './UserMenu.module.css'

const THEMES = [
  { value: 'system', label: 'As the system', icon: <Monitor size={16} aria-hidden /> },
  { value: 'light', label: 'Light', icon: <Sun size={16} aria-hidden /> },
  { value: 'dark', label: 'Dark', icon: <Moon size={16} aria-hidden /> },
]

/** Who one is, the theme, the settings, and the way out. */
export function UserMenu({ onHelp, onSettings }: { onHelp: () => void; onSettings: () => void }) {
  const session = useSession()
  const me = useMe()
  const [theme, setTheme] = useTheme()
  const byTouch = useByTouch()
  const chat = useChat()
  const [loss, setLoss] = useState<string>()
  const logOut = useMutation({ mutationFn: () => session.logOut() })
  const begin = useMutation({
    mutationFn: async () => lossOf(await chat.unsaid(), me.guest),
    onSuccess: (found) => {
      if (found === undefined) logOut.mutate()
      else setLoss(found)
    },
  })
  return (
    <>
      <FormError {...refusalOf(logOut.error)} />
      <AskLogOut
        loss={loss}
        onClose={() => setLoss(undefined)}
        onLogOut={() => {
          setLoss(undefined)
          logOut.mutate()
        }}
      />
      <Menu
        label={`You are ${me.display_name}`}
        inWords
        side="top"
        align="start"
        className={styles.me}
        choice={{ label: 'Theme', value: theme, options: THEMES, onChange: setTheme }}
        actions={[
          { label: 'Settings', icon: <Settings size={16} aria-hidden />, onSelect: onSettings },
          ...(byTouch ? [] : [{ label: 'Keyboard shortcuts', icon: <Keyboard size={16} aria-hidden />, onSelect: onHelp }]),
          { label: 'Log out', icon: <LogOut size={16} aria-hidden />, onSelect: () => begin.mutate() },
        ]}
      >
        <Avatar id={me.id} name={me.display_name} />
        <span className={styles.who}>
          <span className={styles.name}>
            <span className="visuallyHidden">You are </span>
            {me.display_name}
          </span>
          <span className={styles.handle}>{me.guest ? 'guest' : `@${me.username}`}</span>
        </span>
        <ChevronsUpDown size={16} aria-hidden />
      </Menu>
    </>
  )
}
