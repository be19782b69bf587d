import { useState } from 'react'
import { useMe } from '../../model/hooks'
import { Dialog } from '../../ui/Dialog'
import { Segments } from '../../ui/Segments'
import { LookSettings } from './LookSettings'
import { NotificationSettings } from './NotificationSettings'
import { PasswordForm } from './PasswordForm'
import { ProfileForm } from './ProfileForm'
import { SessionList } from './SessionList'
import styles from './Settings.module.css'

type Part = 'profile' | 'look' | 'notifications' | 'password' | 'sessions'

const PARTS: { value: Part; label: string }[] = [
  { value: 'profile', label: 'Profile' },
  { value: 'look', label: 'Look' },
  { value: 'notifications', label: 'Notifications' },
  { value: 'password', label: 'Password' },
  { value: 'sessions', label: 'Sessions' },
]

export default function SettingsPanel({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Settings" tall open={open} onClose={onClose}>
      <Settings />
    </Dialog>
  )
}

function Settings() {
  const { guest } = useMe()
  const [part, setPart] = useState<Part>('profile')
  return (
    <div className={styles.panel}>
      <Segments
        label="What to set"
        options={guest ? PARTS.filter(({ value }) => value !== 'password') : PARTS}
        value={part}
        onChange={setPart}
      />
      <div className={styles.parts}>
        {/* What was typed there is still there for whoever comes back from another part. */}
        <div hidden={part !== 'profile'}>
          <ProfileForm />
        </div>
        {part === 'look' && <LookSettings />}
        {part === 'notifications' && <NotificationSettings />}
        {!guest && (
          <div hidden={part !== 'password'}>
            <PasswordForm />
          </div>
        )}
        {part === 'sessions' && <SessionList />}
      </div>
    </div>
  )
}
