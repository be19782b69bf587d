import { Link } from '@tanstack/react-router'
import { DoorClosed } from 'lucide-react'
import { useState } from 'react'
import { useChat } from '../model/hooks'
import { Button, buttonLook } from '../ui/Button'
import { EmptyState } from '../ui/EmptyState'
import { useClipboard } from '../ui/useClipboard'
import styles from './GonePage.module.css'

const NOT_HERE = {
  title: 'You are not in this room',
  text: 'You left it, were removed, or it is gone. If somebody gave you an invite link, open that.',
}

/** By what a room ended for oneself. */
const GONE: Partial<Record<string, typeof NOT_HERE>> = {
  left: { title: 'You left this room', text: 'To come back, find it under “Discover rooms” or ask for an invite link.' },
  removed: { title: 'You were removed from this room', text: 'An admin did that. If it was by mistake, ask for an invite link.' },
  deleted: { title: 'This room was deleted', text: 'Its owner ended it for everybody, with all that was said in it.' },
}

/** In place of a room that one is not in: why, and what one had written there. */
export function GonePage({ roomId }: { roomId: string }) {
  const gone = GONE[useChat().replica.whyGone(roomId) ?? ''] ?? NOT_HERE
  return (
    <main className={styles.page}>
      <EmptyState icon={<DoorClosed size={40} aria-hidden />} title={gone.title}>
        <p>{gone.text}</p>
        <LeftOver roomId={roomId} />
        <Link to="/" className={buttonLook('plain')}>
          To your rooms
        </Link>
      </EmptyState>
    </main>
  )
}

/** What was written for the room and never sent: to be taken along, or thrown away. */
function LeftOver({ roomId }: { roomId: string }) {
  const chat = useChat()
  const [texts, setTexts] = useState(() => chat.leftOver(roomId))
  const { copied, copy } = useClipboard()
  if (texts.length === 0) return null
  return (
    <section aria-labelledby="left-over" className={styles.left}>
      <h2 id="left-over" className={styles.heading}>
        You had written and not sent:
      </h2>
      <div role="group" aria-labelledby="left-over" tabIndex={0} className={styles.texts}>
        {texts.map((text, index) => (
          <p key={index} dir="auto">
            {text}
          </p>
        ))}
      </div>
      <div className={styles.choice}>
        <Button onClick={() => void copy(texts.join('\n\n'))}>{copied ? 'Copied' : 'Copy'}</Button>
        <Button
          tone="danger"
          onClick={() => {
            chat.discardLeftOver(roomId)
            setTexts([])
          }}
        >
          Discard
        </Button>
      </div>
    </section>
  )
}
