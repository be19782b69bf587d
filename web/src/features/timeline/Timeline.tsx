import { ArrowDown } from 'lucide-react'
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { useChat, useMe, useRoomState, useSelected } from '../../model/hooks'
import type { RoomStore, View } from '../../model/roomStore'
import type { Timeline as Held } from '../../model/timeline'
import { Above } from './Above'
import { RowView } from './RowView'
import { newRows, rowAt } from './rows'
import { useAnchor } from './useAnchor'
import { usePageSeen } from './usePageSeen'
import { useRowFocus } from './useRowFocus'
import styles from './Timeline.module.css'

const NEAR_PX = 600
/** Any row of the list, which is the last child. */
const ROW = ':scope > :last-child > *'
const MARGIN_ABOVE_NEW_PX = 96

interface TimelineProps {
  room: RoomStore
  /** One is on the way to another place in it: what is shown meanwhile is not read. */
  passing: boolean
  onInvite?: () => void
}

/** A room's messages: newest in view, held there while more come, and nothing moves while one reads above. */
export function Timeline({ room, passing, onInvite }: TimelineProps) {
  const shown = useTimeline(room)
  const { chat, held, unread, filled, view, rows, newAt, newestOwnSeq } = shown
  const name = useRoomState(room, (state) => state.room.name)
  const prepended = usePrepended(held, view)
  const list = useRef<VirtualizerHandle>(null)
  const inPast = held.past !== undefined
  /** A message by link is in the middle, the first unread one near the top. */
  const placeTop = ({ clientHeight }: Pick<HTMLElement, 'clientHeight'>) => {
    const at = view.from === 'place' ? rowAt(rows, view.at) : newAt
    if (list.current === null || at < 0) return undefined
    const [top, height] = [list.current.getItemOffset(at), list.current.getItemSize(at)]
    return view.from === 'place' ? top - (clientHeight - height) / 2 : top - MARGIN_ABOVE_NEW_PX
  }
  const anchor = useAnchor(view.id, inPast, placeTop)
  const { scroller, atEnd, onScroll, onResize, toEnd } = anchor
  // Held at the end nothing has to be kept in place; and where all fits, the list would wait for a scroll that can't come.
  const shifts = prepended && !atEnd

  const live = useSelected(chat.connection, ({ phase }) => phase === 'live')
  const fetchNear = () => {
    if (!live) return // with the next connection
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scroller.current ?? {}
    if (scrollTop < NEAR_PX) void chat.history.loadOlder(room.id)
    else if (scrollHeight - scrollTop - clientHeight < NEAR_PX) void chat.history.loadNewer(room.id)
  }
  useEffect(fetchNear)

  const onMeasured = useReading(room, shown, anchor, list, passing)
  const toLatest = () => {
    chat.history.toLatest(room.id)
    toEnd()
    scroller.current?.focus({ preventScroll: true }) // the button goes, and the focus with it
  }

  // What one sends is shown, wherever one was reading.
  const newestOwn = held.outgoing.at(-1)?.client_id
  useEffect(() => {
    if (newestOwn !== undefined) toEnd()
  }, [newestOwn, toEnd])

  const { kept, ...focus } = useRowFocus(rows, view.id)
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
        {...focus}
        onScroll={() => {
          onScroll()
          fetchNear()
        }}
      >
        <div className={styles.spacer} />
        <Virtualizer
          key={view.id}
          ref={list}
          data={rows}
          scrollRef={scroller}
          shift={shifts}
          bufferSize={400}
          keepMounted={kept}
          onResize={() => {
            onResize()
            onMeasured()
          }}
        >
          {(row) => (
            <RowView
              key={row.key}
              room={room}
              row={row}
              target={view.at}
              isNewestOwn={row.type === 'message' && row.message.seq !== undefined && row.message.seq === newestOwnSeq}
              onInvite={onInvite}
            />
          )}
        </Virtualizer>
      </div>
      <Above room={room} scroller={scroller} />
      {!atEnd && (
        <button type="button" className={styles.jump} onClick={toLatest}>
          <ArrowDown size={16} aria-hidden />
          {unread > 0 ? `${unread >= 100 ? '99+' : unread} new` : 'To the latest'}
        </button>
      )}
    </div>
  )
}

/** What is on screen of a room. */
function useTimeline(room: RoomStore) {
  const me = useMe().id
  const held = useRoomState(room, (state) => state.timeline)
  const unread = useRoomState(room, (state) => state.room.unread_count)
  const unreadAfter = useRoomState(room, (state) => state.unreadAfter)
  const filled = useRoomState(room, (state) => state.filled)
  const view = useRoomState(room, (state) => state.view)
  const [rowsOf] = useState(newRows)
  const rows = useMemo(() => rowsOf(me, held, filled, unreadAfter), [rowsOf, me, held, filled, unreadAfter])
  const newAt = useMemo(() => (unreadAfter === undefined ? -1 : rows.findIndex(({ type }) => type === 'new')), [rows, unreadAfter])
  const newestOwnSeq = useMemo(() => held.entries.findLast(({ kind, sender_id }) => kind === 'text' && sender_id === me)?.seq, [held, me])
  return { chat: useChat(), held, unread, unreadAfter, filled, view, rows, newAt, newestOwnSeq }
}

type Anchor = ReturnType<typeof useAnchor>
type Shown = ReturnType<typeof useTimeline>

/**
 * Goes to the first unread message, if that is out of view, else to the end; there, what is seen is read. What is in view is
 * known once rows are measured: gives what is to be called then.
 */
function useReading(room: RoomStore, shown: Shown, anchor: Anchor, list: RefObject<VirtualizerHandle | null>, passing: boolean) {
  const { chat, held, filled, unread, unreadAfter, newAt, view } = shown
  const { scroller, atEnd, isAtEnd, toEnd, toPlace } = anchor
  const inPast = held.past !== undefined
  const placed = useRef<number>(undefined)
  const [measured, setMeasured] = useState<number>()
  useEffect(() => {
    if (!filled || placed.current === view.id || room.get().unreadAfter !== unreadAfter) return // else drawn in a moment
    const hasNew = view.from === 'unread' && newAt >= 0
    if (hasNew && !inPast && measured !== view.id) return
    placed.current = view.id
    const newTop = list.current?.getItemOffset(newAt)
    if (view.from === 'end') toEnd()
    else if (view.from === 'place') toPlace()
    else if (hasNew && newTop !== undefined && (inPast || newTop < (scroller.current?.scrollTop ?? 0))) toPlace()
  }, [room, filled, unreadAfter, newAt, view, inPast, measured, toPlace, toEnd, scroller, list])

  const seen = usePageSeen()
  const { seq } = held.last
  useEffect(() => {
    if (placed.current !== view.id || passing) return
    if (seen && atEnd && isAtEnd()) chat.markRead(room.id)
    else chat.drawUnreadLine(room.id)
  }, [chat, room.id, filled, measured, view, passing, seen, atEnd, isAtEnd, seq, unread])

  return () => {
    if (scroller.current?.querySelector(ROW) != null) setMeasured(view.id)
  }
}

/** Whether this rendering shows older entries above those of the last one: the list then keeps its distance from the end. */
function usePrepended(held: Held, view: View): boolean {
  const [last, setLast] = useState({ held, view, prepended: false })
  if (last.held === held && last.view === view) return last.prepended
  const first = (held.past ?? held).entries[0]?.seq
  const firstBefore = (last.held.past ?? last.held).entries[0]?.seq
  const isSame = last.view === view
  const prepended = isSame && first !== undefined && firstBefore !== undefined && first < firstBefore
  setLast({ held, view, prepended })
  return prepended
}
