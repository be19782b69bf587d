import { useMutation } from '@tanstack/react-query'
import { Crown, MoreHorizontal, ShieldCheck, ShieldOff, UserMinus } from 'lucide-react'
import { useRef, useState } from 'react'
import { useChat, usePresence, useUser } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { type Member, type Role, removeMember, setRole } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Avatar } from '../../ui/Avatar'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { FormError } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { Menu } from '../../ui/Menu'
import { useHandOver } from '../../ui/useHandOver'
import styles from './MembersPanel.module.css'

interface MemberRowProps {
  room: RoomStore
  member: Member
  /** One's own role in the room. */
  mine: Role | undefined
  isMe: boolean
  onChanged: () => void
}

const RANK: Record<Role, number> = { member: 0, admin: 1, owner: 2 }

export function MemberRow({ room, member, mine, isMe, onChanged }: MemberRowProps) {
  const chat = useChat()
  const { id } = member.user
  const user = useUser(id) ?? member.user
  const presence = usePresence(id)
  const row = useRef<HTMLLIElement>(null)
  useHandOver(row)
  const [asking, setAsking] = useState<keyof typeof QUESTIONS>()
  const change = useMutation({
    mutationFn: (to: Role | 'removed') =>
      to === 'removed' ? removeMember(chat.api, room.id, id) : setRole(chat.api, room.id, id, to),
    onSettled: onChanged,
  })
  const maySetRole = mine === 'owner' && !isMe && !user.guest
  const mayRemove = mine !== undefined && mine !== 'member' && RANK[member.role] < RANK[mine] && !isMe
  const actions = actionsFor(member.role, maySetRole, mayRemove).map(({ to, ...action }) => ({
    ...action,
    onSelect: () => (to === 'removed' || to === 'owner' ? setAsking(to) : change.mutate(to)),
  }))
  const handle = user.guest ? 'guest' : `@${user.username}`
  return (
    <li ref={row} className={styles.member} data-presence={presence}>
      <Avatar id={id} name={user.display_name} presence={presence} />
      <span className={styles.who}>
        <span className={styles.name}>
          {user.display_name}
          {isMe && <small> you</small>}
        </span>
        <span className={styles.handle}>{handle}</span>
      </span>
      {member.role !== 'member' && <span className={styles.role}>{member.role}</span>}
      {actions.length > 0 && (
        <Menu label={`Actions for ${user.display_name}`} className={styles.actions} actions={actions}>
          <MoreHorizontal size={17} aria-hidden />
        </Menu>
      )}
      <FormError {...refusalOf(change.error, refusalsFor(user.display_name))} />
      <Question
        asked={asking}
        name={user.display_name}
        onAnswer={(yes) => {
          if (yes && asking !== undefined) change.mutate(asking)
          setAsking(undefined)
        }}
      />
    </li>
  )
}

/** What one can't take back alone. */
const QUESTIONS = {
  removed: {
    title: (name: string) => `Remove ${name}?`,
    text: 'They can read and write here no more. Into a private room they come back only by a new invite.',
    yes: 'Remove',
  },
  owner: {
    title: (name: string) => `Make ${name} an owner?`,
    text: 'Owners can do everything here: delete the room, and make you a plain member too.',
    yes: 'Make owner',
  },
}

interface QuestionProps {
  asked: keyof typeof QUESTIONS | undefined
  name: string
  onAnswer: (yes: boolean) => void
}

function Question({ asked, name, onAnswer }: QuestionProps) {
  // While it fades out it says what it said.
  const [shown, setShown] = useState<keyof typeof QUESTIONS>('removed')
  if (asked !== undefined && asked !== shown) setShown(asked)
  const { title, text, yes } = QUESTIONS[shown]
  return (
    <Dialog title={title(name)} description={text} open={asked !== undefined} onClose={() => onAnswer(false)}>
      <Foot>
        <Button data-first onClick={() => onAnswer(false)}>
          Cancel
        </Button>
        <Button tone="danger" onClick={() => onAnswer(true)}>
          {yes}
        </Button>
      </Foot>
    </Dialog>
  )
}

/** Why the server may say no to what the menu offered: somebody else changed something meanwhile. */
const refusalsFor = (name: string) => ({
  forbidden: `Your role in this room does not allow that for ${name} any more.`,
  last_owner: `${name} is the only owner. Make somebody else an owner first.`,
  not_found: `${name} is not in this room any more.`,
})

function actionsFor(role: Role, maySetRole: boolean, mayRemove: boolean) {
  const makeAdmin = { to: 'admin' as const, label: 'Make admin', icon: <ShieldCheck size={16} aria-hidden /> }
  const makeOwner = { to: 'owner' as const, label: 'Make owner', icon: <Crown size={16} aria-hidden /> }
  const makeMember = { to: 'member' as const, label: 'Make plain member', icon: <ShieldOff size={16} aria-hidden /> }
  const remove = { to: 'removed' as const, label: 'Remove from room', icon: <UserMinus size={16} aria-hidden />, danger: true }
  return [
    ...(maySetRole && role === 'member' ? [makeAdmin] : []),
    ...(maySetRole && role !== 'owner' ? [makeOwner] : []),
    ...(maySetRole && role !== 'member' ? [makeMember] : []),
    ...(mayRemove ? [remove] : []),
  ]
}
