import { Eye, SendHorizontal } from 'lucide-react'
import { type ReactNode, type Ref, useEffect, useId, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'
import { useChat, useRoomState } from '../../model/hooks'
import type { RoomStore } from '../../model/roomStore'
import { IconButton } from '../../ui/Button'
import { useByTouch, useMedia } from '../../ui/useMedia'
import styles from './Composer.module.css'
import { EmojiButton } from './EmojiButton'
import { isSend } from './enter'
import { useDraft } from './useDraft'
import { linkOver, looksFormatted, write } from './write'

const MOST_CHARACTERS = 8_000
const WARN_BELOW = 500

const lengthOf = (text: string) => Array.from(text).length

export interface ComposerHandle {
  focus: () => void
}

interface ComposerProps {
  room: RoomStore
  /** Shows a text as the message that it will be. */
  preview: (text: string) => ReactNode
  ref?: Ref<ComposerHandle>
}

/** Where messages are written. What is begun in a room waits there as a draft, in all tabs. */
export function Composer({ room, preview, ref }: ComposerProps) {
  const chat = useChat()
  const name = useRoomState(room, (state) => state.room.name)
  const narrow = useMedia('(width <= 45em)') // the room's name stands right above, and would be cut off here
  const byTouch = useByTouch()
  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useDraft(room.id, field)
  const [refused, setRefused] = useState(false)
  const length = lengthOf(text.trim())
  const left = MOST_CHARACTERS - length
  const sendable = length > 0 && left >= 0
  const limitId = useId()
  const [notice, setNotice] = useState<string>()
  const [previewing, setPreviewing] = useState(false)
  const formatted = looksFormatted(text)

  const change = (next: string) => {
    setText(next)
    setRefused(false)
    setNotice(undefined)
    chat.typing(room.id, next.trim() !== '')
  }
  const send = () => {
    setRefused(left < 0)
    if (!sendable) return
    chat.send(room.id, text.trim())
    setText('')
    setNotice(undefined)
    setPreviewing(false)
    field.current?.focus()
  }

  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }), [])

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true })
    return () => chat.typing(room.id, false)
  }, [chat, room.id])

  useLayoutEffect(() => {
    const element = field.current
    if (element === null) return
    // Not by `value`: React would set the default with it at each key, and what is undone would go by letters.
    if (element.value !== text) element.value = text
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])

  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {previewing && formatted && (
        <section aria-label="Preview" className={styles.preview} tabIndex={0}>
          {preview(text.trim())}
        </section>
      )}
      <textarea
        ref={field}
        aria-label={`Message to ${name}`}
        placeholder={narrow ? 'Message' : `Message to ${name}`}
        className={styles.field}
        rows={1}
        dir="auto"
        aria-describedby={left < WARN_BELOW ? limitId : undefined}
        aria-invalid={left < 0}
        enterKeyHint={byTouch ? 'enter' : 'send'}
        onChange={(event) => change(event.currentTarget.value)}
        onPaste={(event) => {
          const { selectionStart, selectionEnd, value } = event.currentTarget
          const pasted = event.clipboardData.getData('text/plain')
          const link = linkOver(value.slice(selectionStart, selectionEnd), pasted)
          if (link !== undefined) {
            event.preventDefault()
            write(event.currentTarget, link)
          } else if (pasted === '' && event.clipboardData.files.length > 0) {
            setNotice('Pictures and files can’t be sent yet. A link to one can.')
          }
        }}
        onKeyDown={(event) => {
          if (!isSend(event.nativeEvent, byTouch)) return
          event.preventDefault()
          send()
        }}
      />
      {formatted && (
        <IconButton label="Preview" aria-pressed={previewing} onClick={() => setPreviewing(!previewing)}>
          <Eye size={19} aria-hidden />
        </IconButton>
      )}
      <EmojiButton
        onPick={(emoji) => {
          if (field.current !== null) write(field.current, emoji)
        }}
      />
      {/* A press of it does not take the focus: a phone's keyboard would go and come. */}
      <IconButton type="submit" label="Send" className={styles.send} disabled={!sendable} onMouseDown={(event) => event.preventDefault()}>
        <SendHorizontal size={19} aria-hidden />
      </IconButton>
      <p role="status" className={notice === undefined ? styles.nothing : styles.count}>
        {notice}
      </p>
      {left < WARN_BELOW && <Limit id={limitId} left={left} refused={refused} />}
    </form>
  )
}

interface LimitProps {
  id: string
  /** Characters. */
  left: number
  /** Sending was tried: it is said aloud. */
  refused: boolean
}

/** How much room is left, and, where there is none, why nothing is sent and what to do. */
function Limit({ id, left, refused }: LimitProps) {
  const [few, over] = [Math.max(0, left), Math.max(0, -left)].map((count) => count.toLocaleString())
  return (
    <p id={id} role={refused ? 'alert' : undefined} className={left < 0 ? styles.tooLong : styles.count}>
      {left < 0
        ? `Too long by ${over}: a message holds ${MOST_CHARACTERS.toLocaleString()} characters. Shorten it, or send it in parts.`
        : `${few} characters left`}
    </p>
  )
}
