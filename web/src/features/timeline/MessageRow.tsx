import { useState } from 'react'
import { AlertCircle, Check, Clock3, Link2 } from 'lucide-react'
import { useChat, useUser } from '../../model/hooks'
import { wordsFor } from '../../model/problems'
import type { Outgoing } from '../../model/timeline'
import { Avatar } from '../../ui/Avatar'
import { bareTime, clockTime, fullTime } from '../../ui/time'
import { useClipboard } from '../../ui/useClipboard'
import { Markdown } from './Markdown'
import { linkTo } from './links'
import styles from './MessageRow.module.css'
import type { Message } from './rows'

interface MessageRowProps {
  roomId: string
  /** The row's. */
  id: string
  message: Message
  /** A link led here. */
  isTarget: boolean
  /** One's own newest in the log: that it was sent says that those before it were. */
  isNewestOwn: boolean
}

export function MessageRow({ roomId, id, message, isTarget, isNewestOwn }: MessageRowProps) {
  const { senderId, at, body, leads, seq, outgoing } = message
  const name = useUser(senderId)?.display_name ?? '…'
  const time = clockTime(at)
  const failed = outgoing?.state === 'failed'
  const [hasFocus, setFocus] = useState(false)
  return (
    <article
      aria-label={`${name}, ${time}`}
      data-seq={seq}
      data-row={id}
      tabIndex={-1}
      onFocus={() => setFocus(true)}
      onBlur={({ currentTarget, relatedTarget }) => setFocus(currentTarget.contains(relatedTarget))}
      className={[styles.row, leads && styles.leads, failed && styles.failed, isTarget && styles.target].filter(Boolean).join(' ')}
    >
      {leads ? <Avatar id={senderId} name={name} /> : <Time at={at} shown={bareTime(at)} className={styles.gutter} />}
      <div className={styles.content}>
        {leads && (
          <header className={styles.header}>
            <strong className={styles.name}>{name}</strong>
            <Time at={at} shown={time} className={styles.time} />
          </header>
        )}
        <Markdown text={body} />
        {failed && <NotSent roomId={roomId} message={outgoing} />}
      </div>
      {(isNewestOwn || outgoing?.state === 'sending') && <State sending={outgoing !== undefined} />}
      {seq !== undefined && <CopyLink roomId={roomId} seq={seq} isStop={hasFocus} />}
    </article>
  )
}

function Time({ at, shown, className }: { at: string; shown: string; className?: string }) {
  return (
    <time dateTime={at} title={fullTime(at)} className={className}>
      {shown}
    </time>
  )
}

interface CopyLinkProps {
  roomId: string
  seq: number
  /** The Tab key stops here. */
  isStop: boolean
}

/** Shown where the pointer or the focus is. */
function CopyLink({ roomId, seq, isStop }: CopyLinkProps) {
  const { copied, copy } = useClipboard()
  const label = copied ? 'Link copied' : 'Copy link to this message'
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      tabIndex={isStop ? 0 : -1}
      className={styles.copy}
      onClick={() => void copy(linkTo(location.origin, roomId, seq))}
    >
      {copied ? <Check size={15} aria-hidden /> : <Link2 size={15} aria-hidden />}
    </button>
  )
}

/** Whether the server has it. */
function State({ sending }: { sending: boolean }) {
  const Icon = sending ? Clock3 : Check
  return (
    <span role="img" aria-label={sending ? 'Sending' : 'Sent'} className={styles.state}>
      <Icon size={13} aria-hidden />
    </span>
  )
}

function NotSent({ roomId, message }: { roomId: string; message: Outgoing }) {
  const chat = useChat()
  return (
    <p role="alert" className={styles.refusal}>
      <AlertCircle size={15} aria-hidden />
      <span>Not sent. {wordsFor(message.why)}</span>
      <button type="button" onClick={() => chat.retry(roomId, message)}>
        Retry
      </button>
      <button type="button" onClick={() => chat.discard(roomId, message.client_id)}>
        Discard
      </button>
    </p>
  )
}
