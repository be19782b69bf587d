import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Laptop, Smartphone, SquareTerminal } from 'lucide-react'
import { useRef } from 'react'
import { awaited } from '../../model/awaited'
import { useChat } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { type LoginSession, listSessions, revokeSession, sessionsKey } from '../../model/requests'
import { Awaited } from '../../ui/Awaited'
import { Button } from '../../ui/Button'
import { FormError } from '../../ui/Field'
import { fullTime, shortTime } from '../../ui/time'
import { useHandOver } from '../../ui/useHandOver'
import { type Device, deviceOf } from './device'
import { EndOthers } from './EndOthers'
import styles from './Settings.module.css'

const ICONS = { computer: Laptop, phone: Smartphone, program: SquareTerminal } satisfies Record<Device['kind'], unknown>

/** Where one is logged in, and the way to end that. */
export function SessionList() {
  const chat = useChat()
  const sessions = useQuery({ queryKey: sessionsKey, queryFn: () => listSessions(chat.api), staleTime: 0 })
  return (
    <>
      <Awaited {...awaited(sessions, 'the list of where you are logged in')} />
      <ul aria-label="Where you are logged in" aria-busy={sessions.isPending} className={styles.sessions}>
        {sessions.data
          ?.toSorted((a, b) => Number(b.current) - Number(a.current))
          .map((session) => <SessionRow key={session.id} session={session} />)}
      </ul>
      <EndOthers count={sessions.data?.filter(({ current }) => !current).length ?? 0} />
    </>
  )
}

function SessionRow({ session }: { session: LoginSession }) {
  const chat = useChat()
  const queries = useQueryClient()
  const row = useRef<HTMLLIElement>(null)
  useHandOver(row)
  const { id, current, user_agent, created_at, last_seen_at } = session
  const end = useMutation({
    mutationFn: () => revokeSession(chat.api, id),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionsKey }),
  })
  const refused = refusalOf(end.error)
  const { kind, name } = deviceOf(user_agent)
  const Icon = ICONS[kind]
  return (
    <li ref={row} className={styles.session}>
      <Icon size={20} aria-hidden />
      <p>
        <strong>{name}</strong>
        <small title={`Logged in ${fullTime(created_at)}`}>
          {current ? 'Here, now' : `Last seen ${shortTime(last_seen_at)}`}
        </small>
      </p>
      {!current && (
        <Button aria-label={`Log out ${name}`} busy={end.isPending} until={refused.until} onClick={() => end.mutate()}>
          Log out
        </Button>
      )}
      <FormError {...refused} />
    </li>
  )
}
