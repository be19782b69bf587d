import { SendHorizontal } from 'lucide-react'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useChat, useRoomState } from '../../model/hooks'
import type { RoomStore } from '../../model/roomStore'
import { IconButton } from '../../ui/Button'
import styles from './Composer.module.css'

const MOST_CHARACTERS = 8_000
const WARN_FROM = 7_500

/** Where messages are written. What is begun in a room waits there as a draft. */
export function Composer({ room }: { room: RoomStore }) {
  const chat = useChat()
  const name = useRoomState(room, (state) => state.room.name)
  const [text, setText] = useState(() => chat.outbox.draft(room.id))
  const field = useRef<HTMLTextAreaElement>(null)
  const length = Array.from(text).length
  const sendable = text.trim() !== '' && length <= MOST_CHARACTERS

  const change = (next: string) => {
    setText(next)
    void chat.outbox.setDraft(room.id, next)
    chat.typing(room.id, next.trim() !== '')
  }
  const send = () => {
    if (!sendable) return
    chat.send(room.id, text.trim())
    setText('')
    void chat.outbox.setDraft(room.id, '')
    field.current?.focus()
  }

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true })
    return () => chat.typing(room.id, false)
  }, [chat, room.id])

  useLayoutEffect(() => {
    const element = field.current
    if (element === null) return
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
      <textarea
        ref={field}
        aria-label={`Message to ${name}`}
        placeholder={`Message to ${name}`}
        className={styles.field}
        rows={1}
        dir="auto"
        enterKeyHint="send"
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      {length > WARN_FROM && (
        <output className={length > MOST_CHARACTERS ? styles.tooLong : styles.count}>
          {MOST_CHARACTERS - length}
        </output>
      )}
      <IconButton type="submit" label="Send" className={styles.send} disabled={!sendable}>
        <SendHorizontal size={19} aria-hidden />
      </IconButton>
    </form>
  )
}
