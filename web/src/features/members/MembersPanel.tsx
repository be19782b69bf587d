import { useQuery, useQueryClient } from '@tanstack/react-query'
import { UserPlus, X } from 'lucide-react'
import { awaited } from '../../model/awaited'
import { useChat, useMe, useRoomState, useSelected } from '../../model/hooks'
import { listMembers, membersKey } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Awaited } from '../../ui/Awaited'
import { Button, IconButton } from '../../ui/Button'
import { LeaveRoom } from './LeaveRoom'
import { MemberRow } from './MemberRow'
import styles from './MembersPanel.module.css'

interface MembersPanelProps {
  room: RoomStore
  onClose: () => void
  /** Opens the invite dialog; left out where one may not invite. */
  onInvite?: () => void
  onLeft: () => void
}

const RANK = { online: 0, away: 1, offline: 2 }

/** Who is in the room, those who are here first; and what one's role lets one do about it. */
export function MembersPanel({ room, onClose, onInvite, onLeft }: MembersPanelProps) {
  const chat = useChat()
  const me = useMe().id
  const role = useRoomState(room, (state) => state.room.role)
  const name = useRoomState(room, (state) => state.room.name)
  const count = useRoomState(room, (state) => state.room.member_count)
  const states = useSelected(chat.people.presence, (presence) => presence)
  const queries = useQueryClient()
  const members = useQuery({
    queryKey: membersKey(room.id),
    queryFn: async () => {
      const list = await listMembers(chat.api, room.id)
      chat.people.learn(list.map(({ user }) => user))
      chat.people.fillPresence(list.map(({ user, presence }) => ({ user_id: user.id, state: presence })))
      return list
    },
  })
  const rank = (userId: string) => RANK[states.get(userId) ?? 'offline']
  const sorted = members.data?.toSorted(
    (a, b) => rank(a.user.id) - rank(b.user.id) || a.user.display_name.localeCompare(b.user.display_name),
  )
  const refresh = () => void queries.invalidateQueries({ queryKey: membersKey(room.id) })

  return (
    <aside aria-label="Members" className={styles.panel}>
      <header className={styles.header}>
        <h2>Members</h2>
        <span className={styles.count}>{members.data?.length ?? count}</span>
        <IconButton label="Close members" onClick={onClose}>
          <X size={18} aria-hidden />
        </IconButton>
      </header>
      <div className={styles.awaited}>
        <Awaited {...awaited(members, 'the members')} />
      </div>
      <ul aria-label={`Members of ${name}`} className={styles.list}>
        {sorted?.map((member) => (
          <MemberRow key={member.user.id} room={room} member={member} mine={role} isMe={member.user.id === me} onChanged={refresh} />
        ))}
      </ul>
      <footer className={styles.footer}>
        {onInvite !== undefined && (
          <Button onClick={onInvite}>
            <UserPlus size={17} aria-hidden />
            Invite people
          </Button>
        )}
        <LeaveRoom room={room} onLeft={onLeft} />
      </footer>
    </aside>
  )
}
