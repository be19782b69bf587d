import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { CircleAlert, Compass, MessagesSquare } from 'lucide-react'
import { use, useCallback, useState } from 'react'
import { AuthForms } from '../features/auth/AuthForms'
import type { AuthMode } from '../features/auth/waysIn'
import { InvitePage } from '../features/invites/InvitePage'
import { useMaybeChat, useMe, useRooms, useSession, useStore } from '../model/hooks'
import { Button, buttonLook } from '../ui/Button'
import { Doorway } from '../ui/Doorway'
import { EmptyState } from '../ui/EmptyState'
import { command } from './keys'
import { Opening } from './Opening'
import { OpenPanel } from './panels'
import { Redirect } from './Redirect'
import { useTitle } from './useTitle'
import styles from './pages.module.css'

/** Only places within the app: a link to the login page must not lead elsewhere. */
const isOwnPlace = (place: string | undefined): place is string => place !== undefined && /^\/(?![/\\])/.test(place)

export function LoginPage() {
  const { next } = useSearch({ from: '/login' })
  const [mode, setMode] = useState<AuthMode>('login')
  useTitle(mode === 'register' ? 'Create account' : 'Log in')
  const session = useStore(useSession().state)
  if (useMaybeChat() !== undefined) return <Redirect href={isOwnPlace(next) ? next : '/'} />
  // Whoever logs in after a logout may be somebody else: the place of the one before is not theirs.
  if (next !== undefined && session.status === 'out' && session.why.startsWith('left')) return <Redirect href="/login" />
  return (
    <Doorway title="Welcome to GoChat">
      <AuthForms mode={mode} onMode={setMode} />
    </Doorway>
  )
}

export function InviteRoute() {
  const { code } = useParams({ from: '/invite/$code' })
  const navigate = useNavigate()
  const [mode, setMode] = useState<AuthMode>('register')
  useTitle('Invite')
  const enter = useCallback(
    (roomId: string) => void navigate({ to: '/rooms/$roomId', params: { roomId }, replace: true }),
    [navigate],
  )
  return (
    <InvitePage
      code={code}
      signIn={<AuthForms mode={mode} onMode={setMode} inviteCode={code} />}
      onEnter={enter}
      onHome={() => void navigate({ to: '/' })}
    />
  )
}

export function HomePage() {
  const rooms = useRooms()
  const me = useMe()
  const openPanel = use(OpenPanel)
  if (rooms === undefined) return <Opening />
  return (
    <main className={styles.home}>
      {rooms.length === 0 ? (
        <EmptyState icon={<MessagesSquare size={40} aria-hidden />} title={`Welcome, ${me.display_name}`}>
          <p>
            {me.guest
              ? 'People talk in rooms. Look around for a public one, or open an invite link.'
              : 'People talk in rooms. Make one and invite others by a link, or look around for those that are open to all.'}
          </p>
          <div className={styles.choices}>
            {!me.guest && (
              <Button tone="primary" onClick={() => openPanel('create')}>
                Make the first one
              </Button>
            )}
            <Button onClick={() => openPanel('discover')}>Look around</Button>
          </div>
        </EmptyState>
      ) : (
        <EmptyState icon={<MessagesSquare size={40} aria-hidden />} title="Pick a room">
          <p>
            Choose one on the left
            <span className={styles.typed}>
              , or go by its name: <kbd className={styles.keys}>{command} K</kbd>
            </span>
          </p>
        </EmptyState>
      )}
    </main>
  )
}

/** A fault of the app itself. */
export function BrokenPage() {
  return (
    <main className={styles.home}>
      <EmptyState icon={<CircleAlert size={40} aria-hidden />} title="Something went wrong here">
        <p>That is a fault of this app. What you wrote is kept.</p>
        <div className={styles.choices}>
          <Button tone="primary" onClick={() => location.reload()}>
            Reload
          </Button>
          <a href="/" className={buttonLook('plain')}>
            To your rooms
          </a>
        </div>
      </EmptyState>
    </main>
  )
}

/** An address that is none of the app's. */
export function NotFoundPage() {
  useTitle('No such page')
  return (
    <main className={styles.home}>
      <EmptyState icon={<Compass size={40} aria-hidden />} title="There is no such page">
        <p>The address is mistyped, or what was there is gone.</p>
        <Link to="/" className={buttonLook('primary')}>
          To your rooms
        </Link>
      </EmptyState>
    </main>
  )
}
