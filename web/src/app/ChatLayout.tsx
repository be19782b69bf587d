import { Outlet, useLocation, useMatch, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Sidebar } from '../features/rooms/Sidebar'
import { UserMenu } from '../features/settings/UserMenu'
import { useChat, useMaybeChat, useRoom, useSession, useStore } from '../model/hooks'
import { watchIdle } from '../model/idle'
import { Logo } from '../ui/Logo'
import { ConnectionBanner } from './ConnectionBanner'
import { Redirect } from './Redirect'
import { useLiveTitle } from './useTitle'
import styles from './ChatLayout.module.css'

/** The chat, for those who are in; the way there, for those who are not. */
export function ChatLayout() {
  const { status } = useStore(useSession().state)
  const chat = useMaybeChat()
  if (chat !== undefined) return <Shell />
  if (status === 'out') return <ToLogin />
  return (
    <div role="status" className={styles.splash}>
      <Logo size={56} />
      <p>{status === 'unreachable' ? 'The server does not answer. Trying again…' : 'Opening GoChat'}</p>
    </div>
  )
}

/** Remembers where one wanted to go. */
function ToLogin() {
  const { href } = useLocation()
  const [wanted] = useState(href)
  return <Redirect href={wanted === '/' ? '/login' : `/login?next=${encodeURIComponent(wanted)}`} />
}

function Shell() {
  const chat = useChat()
  const navigate = useNavigate()
  const roomId = useMatch({ from: '/chat/rooms/$roomId', shouldThrow: false })?.params.roomId
  useLiveTitle(useRoom(roomId))

  useEffect(() => {
    const nudge = () => chat.nudge()
    const onVisible = () => {
      if (document.visibilityState === 'visible') nudge()
    }
    addEventListener('online', nudge)
    addEventListener('offline', nudge)
    document.addEventListener('visibilitychange', onVisible)
    const stopWatching = watchIdle((state) => chat.setPresence(state))
    return () => {
      removeEventListener('online', nudge)
      removeEventListener('offline', nudge)
      document.removeEventListener('visibilitychange', onVisible)
      stopWatching()
    }
  }, [chat])

  return (
    <div className={styles.shell} data-in-room={roomId !== undefined}>
      <div className={styles.sidebar}>
        <Sidebar
          onEnter={(roomId) => void navigate({ to: '/rooms/$roomId', params: { roomId } })}
          footer={<UserMenu />}
        />
      </div>
      <div className={styles.main}>
        <ConnectionBanner />
        <div className={styles.content}>
          <Outlet />
        </div>
      </div>
    </div>
  )
}
