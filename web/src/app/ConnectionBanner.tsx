import { useEffect, useState } from 'react'
import { useChat, useStore } from '../model/hooks'
import type { ConnectionState } from '../model/session'
import { type ConnectionWords, connectionWords } from './connectionWords'
import { updates } from './updates'
import styles from './ConnectionBanner.module.css'

const PATIENCE_MS = 700
const BACK_MS = 2_500
const SECOND_MS = 1_000

/** Says when the chat is not live, and when it is again. A moment's break is not worth a word. */
export function ConnectionBanner() {
  const chat = useChat()
  const state = useStore(chat.connection)
  const lasting = useStore(chat.outbox.lasting)
  const shown = useShown(state)
  const words = connectionWords(state, useNow(shown === 'away' && state.phase === 'waiting'), lasting)
  return (
    <div role="status" aria-label="Connection" className={styles.place}>
      {shown === 'back' && <p className={styles.back}>Back online</p>}
      {shown === 'away' && words !== undefined && <Away words={words} />}
    </div>
  )
}

function Away({ words: { matter, now, way } }: { words: ConnectionWords }) {
  const chat = useChat()
  return (
    <p className={styles.away}>
      <span>{matter}</span>
      {/* Seconds are for the eye: read aloud, each would be one more interruption. */}
      {now !== undefined && (
        <span aria-hidden className={styles.now}>
          {now}
        </span>
      )}
      {way === 'try' && (
        <button type="button" onClick={() => chat.nudge()}>
          Try now
        </button>
      )}
      {way === 'reload' && (
        <button type="button" onClick={() => updates.apply()}>
          Reload
        </button>
      )}
    </p>
  )
}

/** The time, anew each second while it is wanted. */
function useNow(wanted: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!wanted) return
    const tick = () => setNow(Date.now())
    const first = setTimeout(tick)
    const timer = setInterval(tick, SECOND_MS)
    return () => {
      clearTimeout(first)
      clearInterval(timer)
    }
  }, [wanted])
  return now
}

/** `away` once it has lasted; `back` for a little while after that. From one to the other nothing goes: what is below would move. */
function useShown({ phase }: ConnectionState): 'nothing' | 'away' | 'back' {
  const live = phase === 'live'
  const [wasAway, setWasAway] = useState(false)
  useEffect(() => {
    const timer = live ? setTimeout(() => setWasAway(false), BACK_MS) : setTimeout(() => setWasAway(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [live])
  if (!wasAway) return 'nothing'
  return live ? 'back' : 'away'
}
