import { Bell, BellOff } from 'lucide-react'
import { useState } from 'react'
import { useChat, useStore } from '../../model/hooks'
import { setMuted, setOn, wishes } from '../../model/notifications'
import { setSounds, sounds } from '../../model/sounds'
import { Button } from '../../ui/Button'
import { Foot } from '../../ui/Foot'
import { Switch } from '../../ui/Switch'
import { ring } from '../../ui/ring'
import styles from './Settings.module.css'

const DENIED =
  'Your browser does not let this page show notifications. Allow it in the browser’s settings for this site, then turn them on here.'
const MISSING =
  'This browser has no notifications for pages, or shows them on https pages only. On an iPhone or iPad, add this page to the home screen first.'

/** The browser is asked for its permission by this click and no other. */
async function ask(): Promise<string | undefined> {
  if (!('Notification' in globalThis)) return MISSING
  const permission = await Notification.requestPermission()
  if (permission !== 'granted') return DENIED
  setOn(true)
  return undefined
}

/** Whether one is told of messages while one looks elsewhere; and the rooms of which one is not. */
export function NotificationSettings() {
  const { on, muted } = useStore(wishes)
  const heard = useStore(sounds)
  const [refused, setRefused] = useState<string>()
  const { replica } = useChat()
  const rooms = muted.flatMap((id) => replica.room(id) ?? [])
  return (
    <div className={styles.form}>
      <p>
        {on
          ? 'You are told of new messages while you look elsewhere, in this browser, as long as the page is open.'
          : 'No notifications are shown while you look elsewhere. The title of the page counts what is unread.'}
      </p>
      <Foot refused={{ children: refused }}>
        {on ? (
          <Button onClick={() => setOn(false)}>
            <BellOff size={17} aria-hidden />
            Turn off
          </Button>
        ) : (
          <Button tone="primary" onClick={() => void ask().then(setRefused)}>
            <Bell size={17} aria-hidden />
            Turn on
          </Button>
        )}
      </Foot>
      <Switch
        label="Play a sound"
        hint="Two soft tones when a message comes while you look elsewhere, also where notifications are off or your browser does not allow them. Not of muted rooms."
        on={heard}
        onChange={(on) => {
          setSounds(on)
          if (on) void ring()
        }}
      />
      {(on || heard) && rooms.length === 0 && (
        <p className={styles.hint}>A room that says too much can be muted by the bell at its top.</p>
      )}
      {rooms.length > 0 && (
        <ul aria-label="Muted rooms" className={styles.sessions}>
          {rooms.map((room) => (
            <li key={room.id} className={styles.session}>
              <p>
                <strong>{room.get().room.name}</strong>
                <small>Muted</small>
              </p>
              <Button aria-label={`Unmute ${room.get().room.name}`} onClick={() => setMuted(room.id, false)}>
                Unmute
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
