import { ArrowDown } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { useChat, useMe, useRoomState } from '../../model/hooks'
import type { RoomStore } from '../../model/roomStore'
import type { Timeline as Held } from '../../model/timeline'
import { RowView } from './RowView'
import { rowsOf } from './rows'
import { useEndAnchor } from './useEndAnchor'
import { usePageSeen } from './usePageSeen'
import styles from './Timeline.module.css'

const NEAR_START_PX = 600
const MARGIN_ABOVE_NEW_PX = 96

/** A room's messages: newest in view, held there while more come, and nothing moves while one reads above. */
export function Timeline({ room }: { room: RoomStore }) {
  const chat = useChat()
  const me = useMe().id
  const name = useRoomState(room, (state) => state.room.name)
  const held = useRoomState(room, (state) => state.timeline)
  const unread = useRoomState(room, (state) => state.room.unread_count)
  const unreadAfter = useRoomState(room, (state) => state.unreadAfter)
  const filled = useRoomState(room, (state) => state.filled)
  const rows = useMemo(() => rowsOf(me, held, filled, unreadAfter), [me, held, filled, unreadAfter])
  const prepended = usePrepended(held)
  const list = useRef<VirtualizerHandle>(null)
  const { scroller, atEnd, isAtEnd, onScroll, toEnd, letGo } = useEndAnchor()

  const fetchNearStart = () => {
    const nearStart = (scroller.current?.scrollTop ?? 0) < NEAR_START_PX
    if (nearStart && held.hasMore) void chat.loadOlder(room.id)
  }
  useEffect(fetchNearStart)

  // A room opens at the first unread message, if that is out of view, else at its end.
  const newAt = rows.findIndex((row) => row.type === 'new')
  const placed = useRef(false)
  useEffect(() => {
    if (!filled || placed.current) return
    placed.current = true
    const top = newAt < 0 ? undefined : list.current?.getItemOffset(newAt)
    if (top === undefined || top >= (scroller.current?.scrollTop ?? 0)) return
    letGo()
    list.current?.scrollToIndex(newAt, { align: 'start', offset: -MARGIN_ABOVE_NEW_PX })
  }, [filled, newAt, letGo, scroller])

  // What one sends is shown, wherever one was reading.
  const newestOwn = held.outgoing.at(-1)?.client_id
  useEffect(() => {
    if (newestOwn !== undefined) toEnd()
  }, [newestOwn, toEnd])

  const seen = usePageSeen()
  const { seq } = held.last
  useEffect(() => {
    if (!filled) return
    if (seen && atEnd && isAtEnd()) chat.markRead(room.id)
    else chat.drawUnreadLine(room.id)
  }, [chat, room.id, filled, seen, atEnd, isAtEnd, seq, unread])

  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        role="log"
        aria-label={`Messages in ${name}`}
        aria-live={atEnd ? 'polite' : 'off'}
        aria-relevant="additions"
        aria-busy={!filled}
        tabIndex={0}
        className={styles.scroller}
        onScroll={() => {
          onScroll()
          fetchNearStart()
        }}
      >
        <div className={styles.spacer} />
        <Virtualizer ref={list} scrollRef={scroller} shift={prepended} bufferSize={400}>
          {rows.map((row) => (
            <RowView key={row.key} room={room} row={row} />
          ))}
        </Virtualizer>
      </div>
      {!atEnd && (
        <button type="button" className={styles.jump} onClick={toEnd}>
          <ArrowDown size={16} aria-hidden />
          {unread > 0 ? `${unread >= 100 ? '99+' : unread} new` : 'To the latest'}
        </button>
      )}
    </div>
  )
}

/** Whether this rendering shows older entries above those of the last one: the list then keeps its distance from the end. */
function usePrepended(held: Held): boolean {
  const [last, setLast] = useState({ held, prepended: false })
  if (last.held === held) return last.prepended
  const first = held.entries[0]?.seq
  const firstBefore = last.held.entries[0]?.seq
  const prepended = first !== undefined && firstBefore !== undefined && first < firstBefore
  setLast({ held, prepended })
  return prepended
}
