import { useNames, useRoomState } from '../../model/hooks'
import type { RoomStore } from '../../model/roomStore'
import styles from './TypingLine.module.css'

const MOST_NAMED = 3

/** Who is typing. It takes its place always, so that nothing moves when somebody starts. */
export function TypingLine({ room }: { room: RoomStore }) {
  const nameOf = useNames()
  const typing = [...useRoomState(room, (state) => state.typing)]
  return (
    <div role="status" aria-label="Typing" className={styles.line}>
      {typing.length > 0 && (
        <>
          <span aria-hidden className={styles.dots}>
            <i />
            <i />
            <i />
          </span>
          {sentence(typing.map(nameOf))}
        </>
      )}
    </div>
  )
}

function sentence(names: string[]): string {
  if (names.length > MOST_NAMED) return 'Several people are typing'
  const last = names.at(-1) ?? ''
  const others = names.slice(0, -1).join(', ')
  return others === '' ? `${last} is typing` : `${others} and ${last} are typing`
}
