import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useSession, useStore } from '../../model/hooks'
import { type Refusal, refusalOf } from '../../model/problems'
import { getInstance } from '../../model/requests'
import type { WhyOut } from '../../model/session'
import { Button } from '../../ui/Button'
import { Field } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { Segments } from '../../ui/Segments'
import styles from './AuthForms.module.css'
import { type Typed, startOf } from './typed'
import { type AuthMode, waysIn, whyClosed } from './waysIn'

interface AuthFormsProps {
  mode: AuthMode
  onMode: (mode: AuthMode) => void
  /** Joins that room at once, and opens the door where registration is by invite. */
  inviteCode?: string
}

/** By why one is out; whoever logged out here knows. */
const SAID: Partial<Record<WhyOut, string>> = {
  ended:
    'You were logged out here: the session was ended from elsewhere, or you were away for long. What you wrote and was not sent is kept for you.',
  leftInTab: 'You logged out in another tab.',
}

const LABELS: Record<AuthMode, string> = { login: 'Log in', register: 'Create account', guest: 'As a guest' }

/** The ways in that there are. When one succeeds the session changes, and whoever watches it goes on. */
export function AuthForms({ mode, onMode, inviteCode }: AuthFormsProps) {
  const { api, state } = useSession()
  const session = useStore(state)
  const instance = useQuery({ queryKey: ['instance'], queryFn: () => getInstance(api), staleTime: Infinity })
  const ways = waysIn(instance.data, inviteCode)
  const shown = ways.includes(mode) ? mode : 'login'
  const [typed, setTyped] = useState<Typed>({})
  const [limited, setLimited] = useState<Refusal>({})
  const fields: Fields = {
    start: startOf(typed),
    type: (change) => setTyped({ ...typed, ...change }),
    limit: { limited, setLimited },
  }
  const closed = whyClosed(instance.data, inviteCode)
  return (
    <div className={styles.forms}>
      {session.status === 'out' && SAID[session.why] !== undefined && (
        <p role="status" className={styles.ended}>
          {SAID[session.why]}
        </p>
      )}
      {session.status === 'out' && session.behind && (
        <p role="alert" className={styles.ended}>
          You are logged out, but this browser did not let go of what it kept of your chat. Clear this site’s data in the
          browser’s settings.
        </p>
      )}
      {ways.length > 1 && (
        <Segments
          label="How to come in"
          options={ways.map((value) => ({ value, label: LABELS[value] }))}
          value={shown}
          onChange={onMode}
        />
      )}
      {shown === 'login' && <LoginForm {...fields} />}
      {shown === 'register' && <RegisterForm inviteCode={inviteCode} {...fields} />}
      {shown === 'guest' && <GuestForm inviteCode={inviteCode} {...fields} />}
      {closed !== undefined && <p className={styles.closed}>{closed}</p>}
    </div>
  )
}

/** What has been tried too often is limited by where one is, not by which way in one tries. */
interface Limit {
  limited: Refusal
  setLimited: (refusal: Refusal) => void
}

/** What the fields hold, whichever way in they are of. */
interface Fields {
  limit: Limit
  start: Required<Typed>
  type: (change: Typed) => void
}

interface FormProps<T> {
  limit: Limit
  submit: (fields: T) => Promise<void>
  fieldsOf: (data: FormData) => T
  action: string
  children: React.ReactNode
}

function Form<T>({ limit: { limited, setLimited }, submit, fieldsOf, action, children }: FormProps<T>) {
  const request = useMutation({
    mutationFn: submit,
    onMutate: () => setLimited({}),
    onError: (error) => {
      const refusal = refusalOf(error)
      if (refusal.until !== undefined) setLimited(refusal)
    },
  })
  const slow = useSlow(request.isPending)
  const refused = request.error === null ? limited : refusalOf(request.error)
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        request.mutate(fieldsOf(new FormData(event.currentTarget)))
      }}
    >
      {children}
      <Foot refused={refused} done={slow ? 'The server is slow to answer. Still waiting…' : undefined}>
        <Button type="submit" tone="primary" busy={request.isPending} until={refused.until}>
          {action}
        </Button>
      </Foot>
    </form>
  )
}

/** When most answers would have come. */
const SLOW_MS = 5_000

function useSlow(pending: boolean): boolean {
  const [slow, setSlow] = useState(false)
  useEffect(() => {
    if (!pending) return
    const timer = setTimeout(() => setSlow(true), SLOW_MS)
    return () => {
      clearTimeout(timer)
      setSlow(false)
    }
  }, [pending])
  return slow
}

const text = (data: FormData, name: string) => {
  const value = data.get(name)
  return typeof value === 'string' ? value : ''
}

function LoginForm({ limit, start: { username }, type }: Fields) {
  const session = useSession()
  const [known] = useState(username !== '')
  return (
    <Form
      limit={limit}
      action="Log in"
      submit={(fields: { username: string; password: string }) => session.logIn(fields)}
      fieldsOf={(data) => ({ username: username.trim(), password: text(data, 'password') })}
    >
      <Field
        label="Username"
        name="username"
        value={username}
        onChange={(event) => type({ username: event.currentTarget.value })}
        autoComplete="username"
        autoCapitalize="none"
        required
        autoFocus={!known}
      />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required autoFocus={known} />
    </Form>
  )
}

function RegisterForm({ inviteCode, limit, start, type }: Fields & { inviteCode?: string }) {
  const session = useSession()
  const username = start.username.toLowerCase()
  const [known] = useState(username !== '')
  return (
    <Form
      limit={limit}
      action="Create account"
      submit={(fields: Parameters<typeof session.register>[0]) => session.register(fields)}
      fieldsOf={(data) => ({
        username,
        password: text(data, 'password'),
        display_name: start.name.trim() || undefined,
        invite_code: inviteCode,
      })}
    >
      <Field
        label="Username"
        name="username"
        value={username}
        onChange={(event) => type({ username: event.currentTarget.value.toLowerCase() })}
        autoComplete="username"
        autoCapitalize="none"
        pattern="[a-z0-9_.\-]{3,32}"
        hint="3 to 32 of a–z, 0–9, dot, dash and underscore"
        required
        autoFocus={!known}
      />
      <Field
        label="Your name"
        name="display_name"
        value={start.name}
        onChange={(event) => type({ name: event.currentTarget.value })}
        autoComplete="name"
        most={80}
        hint="What others see"
        autoFocus={known}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        minLength={10}
        most={1000}
        hint="At least 10 characters"
        required
      />
    </Form>
  )
}

function GuestForm({ inviteCode, limit, start, type }: Fields & { inviteCode?: string }) {
  const session = useSession()
  return (
    <Form
      limit={limit}
      action="Come in"
      submit={(fields: Parameters<typeof session.comeAsGuest>[0]) => session.comeAsGuest(fields)}
      fieldsOf={() => ({ display_name: start.guest.trim(), invite_code: inviteCode })}
    >
      <Field
        label="Your name"
        name="display_name"
        value={start.guest}
        onChange={(event) => type({ guest: event.currentTarget.value })}
        autoComplete="nickname"
        most={80}
        hint="Guests can read and write; they are forgotten after 30 days away"
        required
        autoFocus
      />
    </Form>
  )
}
