import { Link, useLocation, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { ArrowLeft, Bell, BellOff, Hash, Lock, Settings2, UserPlus, Users } from 'lucide-react'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Composer, type ComposerHandle } from '../features/composer/Composer'
import { InviteDialog } from '../features/invites/InviteDialog'
import { MembersPanel } from '../features/members/MembersPanel'
import { RoomSettingsDialog } from '../features/rooms/RoomSettingsDialog'
import { Markdown } from '../features/timeline/Markdown'
import { Timeline } from '../features/timeline/Timeline'
import { TypingLine } from '../features/timeline/TypingLine'
import { useChat, useRoom, useRoomState, useRooms, useSelected, useStore } from '../model/hooks'
import { setMuted, wishes } from '../model/notifications'
import { sounds } from '../model/sounds'
import type { RoomStore } from '../model/roomStore'
import { IconButton } from '../ui/Button'
import { useLayer } from '../ui/layers'
import { useMedia } from '../ui/useMedia'
import { GonePage } from './GonePage'
import { NowhereNote } from './NowhereNote'
import { Opening } from './Opening'
import styles from './RoomPage.module.css'
import { useShortcuts } from './shortcuts'

const asMessage = (text: string) => <Markdown text={text} />

export function RoomPage() {
  const { roomId } = useParams({ from: '/chat/rooms/$roomId' })
  const room = useRoom(roomId)
  const known = useRooms() !== undefined
  const members = useMembersShown()
  if (room !== undefined) return <Room key={roomId} room={room} members={members} />
  if (!known) return <Opening />
  return <GonePage key={roomId} roomId={roomId} />
}

interface MembersShown {
  shown: boolean
  /** They lie over the room, where there is no place beside it. */
  over: boolean
  show: (shown: boolean) => void
}

/** The list of members is there where there is place for it, until one decides otherwise. */
function useMembersShown(): MembersShown {
  const roomy = useMedia('(width >= 75em)')
  const over = useMedia('(width < 62.5em)')
  const [chosen, setChosen] = useState<{ shown: boolean; over: boolean }>()
  // What was chosen for a wide window says nothing about a narrow one.
  const shown = chosen?.over === over ? chosen.shown : roomy
  return { shown, over, show: (next) => setChosen({ shown: next, over }) }
}

function Room({ room, members }: { room: RoomStore; members: MembersShown }) {
  const chat = useChat()
  const [inviting, setInviting] = useState(false)
  const [changing, setChanging] = useState(false)
  const composer = useRef<ComposerHandle>(null)
  const role = useRoomState(room, (state) => state.room.role)
  const mayManage = role === 'owner' || role === 'admin'
  const covered = members.shown && members.over
  useShortcuts({
    write: () => (covered ? members.show(false) : composer.current?.focus()),
    type: () => {
      if (!covered) composer.current?.focus()
    },
  })

  // Before the timeline's effects: what is unread must be known when they mark it as read.
  useLayoutEffect(() => {
    chat.open(room.id)
    return () => chat.close(room.id)
  }, [chat, room.id])

  const link = useLinkedMessage(room)
  const invite = useCallback(() => setInviting(true), [])
  return (
    <>
      <main className={styles.page} inert={covered}>
        <RoomHeader
          room={room}
          onInvite={mayManage ? invite : undefined}
          onSettings={mayManage ? () => setChanging(true) : undefined}
          membersShown={members.shown}
          onMembers={() => members.show(!members.shown)}
        />
        <NowhereNote shown={link.isNowhere} onDismiss={link.dismiss} />
        <Timeline room={room} passing={link.isGoing} onInvite={mayManage ? invite : undefined} />
        <TypingLine room={room} />
        <Composer ref={composer} room={room} preview={asMessage} />
      </main>
      {members.shown && <MembersSide room={room} members={members} onInvite={mayManage ? invite : undefined} />}
      <InviteDialog room={room} open={inviting} onClose={() => setInviting(false)} />
      <RoomSettingsDialog room={room} open={changing} onClose={() => setChanging(false)} />
    </>
  )
}

/** Goes to the message that a link names (`?at=seq`), once. Until it is there, what is on screen is not taken for read. */
function useLinkedMessage(room: RoomStore) {
  const chat = useChat()
  const navigate = useNavigate()
  const { at } = useSearch({ from: '/chat/rooms/$roomId' })
  // A link to the same message may be followed again before the address has lost the number of the first time.
  const visit = useLocation({ select: ({ state }) => state.__TSR_key })
  const filled = useRoomState(room, (state) => state.filled)
  const joined = useRoomState(room, (state) => state.joined === 'yes')
  const [isNowhere, setNowhere] = useState(false)
  useEffect(() => {
    if (at === undefined || !filled) return
    let wanted = true
    void chat.history.goTo(room.id, at).then((found) => {
      if (found === 'early' || !wanted) return
      setNowhere(found === 'nowhere')
      void navigate({ to: '/rooms/$roomId', params: { roomId: room.id }, replace: true })
    })
    return () => {
      wanted = false
    }
  }, [chat, room.id, at, visit, filled, joined, navigate])
  return { isGoing: at !== undefined, isNowhere, dismiss: () => setNowhere(false) }
}

/** The members, beside the room or over it. Over it they have the focus, and give it back. */
function MembersSide({ room, members, onInvite }: { room: RoomStore; members: MembersShown; onInvite?: () => void }) {
  const navigate = useNavigate()
  const side = useRef<HTMLDivElement>(null)
  const { over } = members
  useLayer(over, () => {
    members.show(false)
    return true
  })
  useEffect(() => {
    if (!over) return
    const before = document.activeElement
    side.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [over])
  return (
    <>
      <div className={styles.scrim} onClick={() => members.show(false)} />
      <div ref={side} tabIndex={-1} className={styles.members}>
        <MembersPanel
          room={room}
          onClose={() => members.show(false)}
          onInvite={onInvite}
          onLeft={() => void navigate({ to: '/' })}
        />
      </div>
    </>
  )
}

interface RoomHeaderProps {
  room: RoomStore
  onInvite?: () => void
  onSettings?: () => void
  membersShown: boolean
  onMembers: () => void
}

function RoomHeader({ room, onInvite, onSettings, membersShown, onMembers }: RoomHeaderProps) {
  const { name, topic, visibility, member_count } = useRoomState(room, (state) => state.room)
  const online = useOnline(room)
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
        {/* The counts stand last, with room for all of them from the start: when they come, nothing moves. */}
        <p>
          {topic !== '' && <span className={styles.topic}>{topic}</span>}
          {topic !== '' && <span className={styles.dot}>·</span>}
          <span className={styles.counts} title="Online or away: whoever has the app open somewhere">
            {members}
            <span className={online === undefined ? styles.unknown : styles.online}> · {online ?? 0} online</span>
          </span>
        </p>
      </div>
      {onInvite !== undefined && (
        <IconButton label="Invite people" onClick={onInvite}>
          <UserPlus size={19} aria-hidden />
        </IconButton>
      )}
      {onSettings !== undefined && (
        <IconButton label="Room settings" onClick={onSettings}>
          <Settings2 size={19} aria-hidden />
        </IconButton>
      )}
      <MuteButton roomId={room.id} />
      <IconButton label="Members" aria-pressed={membersShown} onClick={onMembers}>
        <Users size={19} aria-hidden />
      </IconButton>
    </header>
  )
}

/** How many of the room are online or away; undefined as long as that is not known. */
function useOnline(room: RoomStore): number | undefined {
  const here = useRoomState(room, (state) => state.onlineCount ?? state.here)
  return useSelected(useChat().people.presence, (states) =>
    typeof here === 'object' ? [...here].filter((id) => states.get(id) !== 'offline').length : here)
}

/** Whether one is told of this room while one looks elsewhere; there only where one is told of anything. */
function MuteButton({ roomId }: { roomId: string }) {
  const { on, muted } = useStore(wishes)
  const heard = useStore(sounds)
  const isMuted = muted.includes(roomId)
  if (!on && !heard) return null
  const Icon = isMuted ? BellOff : Bell
  return (
    <IconButton label="Mute this room" aria-pressed={isMuted} onClick={() => setMuted(roomId, !isMuted)}>
      <Icon size={19} aria-hidden />
    </IconButton>
  )
}
