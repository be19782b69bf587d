import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { ArrowLeft, DoorClosed, Hash, Lock, UserPlus, Users } from 'lucide-react'
import { useCallback, useLayoutEffect, useState } from 'react'
import { Composer } from '../features/composer/Composer'
import { InviteDialog } from '../features/invites/InviteDialog'
import { MembersPanel } from '../features/members/MembersPanel'
import { Timeline } from '../features/timeline/Timeline'
import { TypingLine } from '../features/timeline/TypingLine'
import { useChat, useRoom, useRoomState, useRooms } from '../model/hooks'
import type { RoomStore } from '../model/roomStore'
import { IconButton } from '../ui/Button'
import { EmptyState } from '../ui/EmptyState'
import styles from './RoomPage.module.css'

export function RoomPage() {
  const { roomId } = useParams({ from: '/chat/rooms/$roomId' })
  const room = useRoom(roomId)
  const known = useRooms() !== undefined
  if (room !== undefined) return <Room key={roomId} room={room} />
  if (!known) return <main className={styles.page} aria-busy />
  return (
    <main className={styles.page}>
      <EmptyState icon={<DoorClosed size={40} aria-hidden />} title="You are not in this room">
        <p>You left it, were removed, or it is gone. If somebody gave you an invite link, open that.</p>
        <Link to="/">To your rooms</Link>
      </EmptyState>
    </main>
  )
}

function Room({ room }: { room: RoomStore }) {
  const chat = useChat()
  const navigate = useNavigate()
  const [showMembers, setShowMembers] = useState(() => matchMedia('(width >= 1200px)').matches)
  const [inviting, setInviting] = useState(false)
  const role = useRoomState(room, (state) => state.room.role)
  const mayInvite = role === 'owner' || role === 'admin'

  // Before the timeline's effects: what is unread must be known when they mark it as read.
  useLayoutEffect(() => {
    chat.open(room.id)
    return () => chat.close(room.id)
  }, [chat, room.id])

  const invite = useCallback(() => setInviting(true), [])
  return (
    <>
      <main className={styles.page}>
        <RoomHeader
          room={room}
          onInvite={mayInvite ? invite : undefined}
          membersShown={showMembers}
          onMembers={() => setShowMembers((shown) => !shown)}
        />
        <Timeline room={room} />
        <TypingLine room={room} />
        <Composer room={room} />
      </main>
      {showMembers && (
        <div className={styles.members}>
          <MembersPanel
            room={room}
            onClose={() => setShowMembers(false)}
            onInvite={mayInvite ? invite : undefined}
            onLeft={() => void navigate({ to: '/' })}
          />
        </div>
      )}
      <InviteDialog room={room} open={inviting} onClose={() => setInviting(false)} />
    </>
  )
}

interface RoomHeaderProps {
  room: RoomStore
  onInvite?: () => void
  membersShown: boolean
  onMembers: () => void
}

function RoomHeader({ room, onInvite, membersShown, onMembers }: RoomHeaderProps) {
  const { name, topic, visibility, member_count } = useRoomState(room, (state) => state.room)
  const onlineCount = useRoomState(room, (state) => state.onlineCount)
  const Icon = visibility === 'private' ? Lock : Hash
  const members = `${member_count} ${member_count === 1 ? 'member' : 'members'}`
  return (
    <header className={styles.header}>
      <Link to="/" aria-label="Back to rooms" className={styles.back}>
        <ArrowLeft size={20} aria-hidden />
      </Link>
      <div className={styles.title}>
        <h1>
          <Icon size={15} aria-label={visibility === 'private' ? 'Private room' : 'Public room'} role="img" />
          <span>{name}</span>
        </h1>
        <p>
          {onlineCount === undefined ? members : `${members}, ${onlineCount} online`}
          {topic !== '' && ` · ${topic}`}
        </p>
      </div>
      {onInvite !== undefined && (
        <IconButton label="Invite people" onClick={onInvite}>
          <UserPlus size={19} aria-hidden />
        </IconButton>
      )}
      <IconButton label="Members" aria-pressed={membersShown} onClick={onMembers}>
        <Users size={19} aria-hidden />
      </IconButton>
    </header>
  )
}
