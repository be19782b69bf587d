import { useQueryClient } from '@tanstack/react-query'
import { Outlet, useLocation, useMatch, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { CreateRoomDialog } from '../features/rooms/CreateRoomDialog'
import { DiscoverDialog } from '../features/rooms/DiscoverDialog'
import { Sidebar } from '../features/rooms/Sidebar'
import { SettingsDialog } from '../features/settings/SettingsDialog'
import { UserMenu } from '../features/settings/UserMenu'
import { Switcher } from '../features/switcher/Switcher'
import { useChat, useMaybeChat, useRoom, useRooms, useSession, useStore } from '../model/hooks'
import { watchIdle } from '../model/idle'
import { loadAhead } from '../ui/later'
import { Splash } from '../ui/Splash'
import { leaveTyped } from '../ui/unsaved'
import { useMedia } from '../ui/useMedia'
import { followKeyboard } from '../ui/visibleHeight'
import { ConnectionBanner } from './ConnectionBanner'
import { HelpDialog } from './HelpDialog'
import { OpenPanel, type Panel } from './panels'
import { Redirect } from './Redirect'
import { UpdateNote } from './UpdateNote'
import { useShortcuts } from './shortcuts'
import { useBack } from './useBack'
import { useNotifications } from './useNotifications'
import { useLiveTitle } from './useTitle'
import styles from './ChatLayout.module.css'

/** The chat, for those who are in; the way there, for those who are not. */
export function ChatLayout() {
  const { status } = useStore(useSession().state)
  const chat = useMaybeChat()
  if (chat !== undefined) return <Shell />
  if (status === 'out') return <ToLogin />
  return <Splash>{status === 'unreachable' ? 'The server does not answer. Trying again…' : 'Opening GoChat'}</Splash>
}

/** Remembers where one wanted to go. */
function ToLogin() {
  const { href } = useLocation()
  const [wanted] = useState(href)
  return <Redirect href={wanted === '/' ? '/login' : `/login?next=${encodeURIComponent(wanted)}`} />
}

function Shell() {
  const navigate = useNavigate()
  const roomId = useMatch({ from: '/chat/rooms/$roomId', shouldThrow: false })?.params.roomId
  const narrow = useMedia('(width <= 45em)')
  const live = useStore(useChat().connection).phase === 'live'
  const [opened, setOpened] = useState<Panel>()
  const enter = (id: string) => void navigate({ to: '/rooms/$roomId', params: { roomId: id } })
  const dialog = (which: Panel) => ({ open: opened === which, onClose: () => setOpened(undefined), onEnter: enter })
  const step = useStep(roomId, enter)
  useLiveTitle(useRoom(roomId))
  useSigns()
  useAskAgain()
  useEffect(() => followKeyboard(document.documentElement), [])
  useBack()
  useNotifications((id) => leaveTyped(() => enter(id)))
  useShortcuts({
    switch: () => leaveTyped(() => setOpened((now) => (now === 'switch' ? undefined : 'switch'))),
    help: () => setOpened('help'),
    previous: () => step(-1),
    next: () => step(1),
  })
  return (
    <div className={styles.shell} data-in-room={roomId !== undefined} data-live={live}>
      <div className={styles.sidebar}>
        <Sidebar
          isPage={narrow && roomId === undefined}
          onSwitch={() => setOpened('switch')}
          onDiscover={() => setOpened('discover')}
          onCreate={() => setOpened('create')}
          footer={<UserMenu onHelp={() => setOpened('help')} onSettings={() => setOpened('settings')} />}
        />
      </div>
      <div className={styles.main}>
        <ConnectionBanner />
        <UpdateNote />
        <div className={styles.content}>
          <OpenPanel value={setOpened}>
            <Outlet />
          </OpenPanel>
        </div>
      </div>
      <CreateRoomDialog {...dialog('create')} />
      <DiscoverDialog {...dialog('discover')} />
      <Switcher {...dialog('switch')} current={roomId} onDiscover={() => setOpened('discover')} />
      <HelpDialog {...dialog('help')} />
      <SettingsDialog {...dialog('settings')} />
    </div>
  )
}

/** When the server is there again it is asked at once for what it did not give while it was not. */
function useAskAgain(): void {
  const queries = useQueryClient()
  const live = useStore(useChat().connection).phase === 'live'
  useEffect(() => {
    if (!live) return
    void queries.refetchQueries({ type: 'active', predicate: ({ state }) => state.status === 'error' })
    if (!('serviceWorker' in navigator)) void loadAhead()
  }, [queries, live])
}

/** Goes to the room above or below in the list. */
function useStep(roomId: string | undefined, enter: (roomId: string) => void) {
  const rooms = useRooms() ?? []
  return (by: 1 | -1) => {
    const at = rooms.findIndex(({ id }) => id === roomId)
    const next = at < 0 ? rooms.at(by > 0 ? 0 : -1) : rooms[at + by]
    if (next !== undefined) enter(next.id)
  }
}

/** Tells the chat what the browser knows of the network, and of who sits before it. */
function useSigns(): void {
  const chat = useChat()
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
}
