import { Compass, MessagesSquare, Plus, Search } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMe, useRooms } from '../../model/hooks'
import { Waiting } from '../../ui/Awaited'
import { Button, IconButton } from '../../ui/Button'
import { Logo } from '../../ui/Logo'
import { RoomLink } from './RoomLink'
import styles from './Sidebar.module.css'

interface SidebarProps {
  /** Whether it is all that is on screen. */
  isPage: boolean
  onSwitch: () => void
  onDiscover: () => void
  onCreate: () => void
  /** Who one is, at the bottom. */
  footer: ReactNode
}

export function Sidebar({ isPage, onSwitch, onDiscover, onCreate, footer }: SidebarProps) {
  const rooms = useRooms()
  const me = useMe()
  const Place = isPage ? 'main' : 'aside'
  const Brand = isPage ? 'h1' : 'span'
  return (
    <Place aria-label="Your rooms" className={styles.sidebar}>
      <header className={styles.header}>
        <Logo />
        <Brand className={styles.brand}>GoChat</Brand>
        <IconButton label="Go to a room" onClick={onSwitch}>
          <Search size={19} aria-hidden />
        </IconButton>
        <IconButton label="Discover rooms" onClick={onDiscover}>
          <Compass size={19} aria-hidden />
        </IconButton>
        {!me.guest && (
          <IconButton label="New room" onClick={onCreate}>
            <Plus size={20} aria-hidden />
          </IconButton>
        )}
      </header>
      <nav aria-label="Rooms" className={styles.rooms}>
        {rooms === undefined && isPage && <Waiting what="your rooms" />}
        {rooms?.length === 0 && (
          <div className={styles.none}>
            {isPage && <MessagesSquare size={40} aria-hidden />}
            <p>You are in no room yet.</p>
            {isPage && !me.guest && (
              <Button tone="primary" onClick={onCreate}>
                Make the first one
              </Button>
            )}
            {isPage && <Button onClick={onDiscover}>Look around</Button>}
          </div>
        )}
        <ul>
          {rooms?.map((room) => (
            <RoomLink key={room.id} room={room} />
          ))}
        </ul>
      </nav>
      <footer className={styles.footer}>{footer}</footer>
    </Place>
  )
}
