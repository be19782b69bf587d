import { LoaderCircle } from 'lucide-react'
import { type CSSProperties, type RefObject, useEffect, useState } from 'react'
import { useChat, useRoomState, useSelected } from '../../model/hooks'
import { type RoomStore, aboveOf } from '../../model/roomStore'
import styles from './Above.module.css'

/** Less than this is no place for rows to come. */
const LEAST_PX = 72
const NEAR_PX = 120
/** How wide the lines of a message that is to come are, in percent. */
const LINES = [[34], [58, 22], [45], [67, 51], [28], [52]]

interface AboveProps {
  room: RoomStore
  /** What it stands over: the list, with a spacer before it. */
  scroller: RefObject<HTMLElement | null>
}

/**
 * Why what is above in a room is not there yet: in the space that it will take, or at the upper edge while that is in view.
 * It lies over the list, so that nothing moves when it goes, and outside of the log, which tells of messages only.
 */
export function Above({ room, scroller }: AboveProps) {
  const chat = useChat()
  const live = useSelected(chat.connection, ({ phase }) => phase === 'live')
  const above = useRoomState(room, (state) => aboveOf(state, live))
  const space = useSpace(scroller)
  const shown = space === undefined ? 'nothing' : above
  return (
    <div className={styles.above} data-space={(space ?? 0) > 0} style={{ '--blank': `${space ?? 0}px` } as CSSProperties}>
      {shown === 'coming' && (space === 0 ? <Coming /> : <Skeleton />)}
      <div role="status" aria-label="Earlier messages">
        {shown === 'away' && <p className={`${styles.words} ${styles.late}`}>Earlier messages are shown when you are connected again.</p>}
        {shown === 'refused' && (
          <p className={styles.words}>
            Earlier messages could not be loaded.
            <button type="button" onClick={() => chat.history.again(room.id)}>
              Try again
            </button>
          </p>
        )}
      </div>
    </div>
  )
}

function Coming() {
  return (
    <p className={`${styles.words} ${styles.soon}`}>
      <LoaderCircle size={15} aria-hidden className={styles.turning} />
      Loading earlier messages…
    </p>
  )
}

/** The shape of messages. */
function Skeleton() {
  return (
    <div aria-hidden className={`${styles.skeleton} ${styles.soon}`}>
      {LINES.map((widths, row) => (
        <div key={row} className={styles.row}>
          <i className={styles.face} />
          <div className={styles.lines}>
            <i style={{ width: '18%' }} />
            {widths.map((width) => (
              <i key={width} style={{ width: `${width}%` }} />
            ))}
          </div>
        </div>
      ))}
    </div>
  )
}

/** How high the blank is above few messages; 0 where there is none, and the upper edge is in view; undefined away from it. */
function useSpace(scroller: RefObject<HTMLElement | null>): number | undefined {
  const [space, setSpace] = useState<number>()
  useEffect(() => {
    const element = scroller.current
    const spacer = element?.firstElementChild
    if (element == null || spacer == null) return
    const look = () => {
      const { clientHeight } = spacer
      setSpace(clientHeight >= LEAST_PX ? clientHeight : element.scrollTop < NEAR_PX ? 0 : undefined)
    }
    const observer = new ResizeObserver(look)
    observer.observe(spacer)
    element.addEventListener('scroll', look, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [scroller])
  return space
}
