import { type RefObject, useEffect, useState } from 'react'
import { useChat } from '../../model/hooks'

/** What is begun in a room, and the way to write on. What another tab writes is followed, but not under the caret. */
export function useDraft(roomId: string, field: RefObject<HTMLTextAreaElement | null>) {
  const { drafts } = useChat()
  const [text, setText] = useState(() => drafts.of(roomId))
  useEffect(() => {
    const follow = () => setText(drafts.of(roomId))
    const stop = drafts.subscribe(() => {
      const isWrittenIn = document.hasFocus() && document.activeElement === field.current
      if (!isWrittenIn) follow()
    })
    addEventListener('blur', follow) // what was held back, if another tab was the last to write
    return () => {
      stop()
      removeEventListener('blur', follow)
    }
  }, [drafts, roomId, field])
  const write = (next: string) => {
    setText(next)
    drafts.write(roomId, next)
  }
  return [text, write] as const
}
