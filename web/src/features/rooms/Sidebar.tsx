import { Compass, Plus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useMe, useRooms } from '../../model/hooks'
import { Button, IconButton } from '../../ui/Button'
import { Logo } from '../../ui/Logo'
import { CreateRoomDialog } from './CreateRoomDialog'
import { DiscoverDialog } from './DiscoverDialog'
import { RoomLink } from './RoomLink'
import styles from './Sidebar.module.css'

interface SidebarProps {
  /** Goes to a room that has just become the user's. */
  onEnter: (roomId: string) => void
  /** Who one is, at the bottom. */
  footer: ReactNode
}

export function Sidebar({ onEnter, footer }: SidebarProps) {
  const rooms = useRooms()
  const me = useMe()
  const [dialog, setDialog] = useState<'create' | 'discover'>()
  const close = () => setDialog(undefined)
  return (
    <aside className={styles.sidebar}>
      <header className={styles.header}>
        <Logo />
        <span className={styles.brand}>GoChat</span>
        <IconButton label="Discover rooms" onClick={() => setDialog('discover')}>
          <Compass size={19} aria-hidden />
        </IconButton>
        {!me.guest && (
          <IconButton label="New room" onClick={() => setDialog('create')}>
            <Plus size={20} aria-hidden />
          </IconButton>
        )}
      </header>
      <nav aria-label="Rooms" className={styles.rooms}>
        {rooms?.length === 0 && (
          <div className={styles.none}>
            <p>You are in no room yet.</p>
            {!me.guest && (
              <Button tone="primary" onClick={() => setDialog('create')}>
                Make the first one
              </Button>
            )}
            <Button onClick={() => setDialog('discover')}>Look around</Button>
          </div>
        )}
        <ul>
          {rooms?.map((room) => (
            <RoomLink key={room.id} room={room} />
          ))}
        </ul>
      </nav>
      <footer className={styles.footer}>{footer}</footer>
      <CreateRoomDialog open={dialog === 'create'} onClose={close} onEnter={onEnter} />
      <DiscoverDialog open={dialog === 'discover'} onClose={close} onEnter={onEnter} />
    </aside>
  )
}
