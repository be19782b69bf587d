import { useEffect, useState } from 'react'
import { useChat, useStore } from '../model/hooks'
import type { ConnectionState } from '../model/session'
import { updates } from './updates'
import styles from './ConnectionBanner.module.css'

const PATIENCE_MS = 700
const BACK_MS = 2_500

/** Says when the chat is not live, and when it is again. A moment's break is not worth a word. */
export function ConnectionBanner() {
  const chat = useChat()
  const state = useStore(chat.connection)
  const shown = useShown(state)
  return (
    <div role="status" aria-label="Connection" className={styles.place}>
      {shown === 'back' && <p className={styles.back}>Back online</p>}
      {shown === 'away' && state.phase === 'stopped' && (
        <p className={styles.away}>
          {state.why === 'outdated' ? 'This page is older than the server.' : 'The connection was refused.'}
          <button type="button" onClick={() => updates.apply()}>
            Reload
          </button>
        </p>
      )}
      {shown === 'away' && state.phase !== 'stopped' && (
        <p className={styles.away}>
          {words(state)}
          {state.phase === 'waiting' && (
            <button type="button" onClick={() => chat.nudge()}>
              Try now
            </button>
          )}
        </p>
      )}
    </div>
  )
}

function words(state: ConnectionState): string {
  if (state.phase === 'waiting' && state.offline) return 'You are offline. What you write is kept and sent later.'
  return 'Connecting… What you write is kept.'
}

/** `away` once it has lasted; `back` for a little while after that. */
function useShown({ phase }: ConnectionState): 'nothing' | 'away' | 'back' {
  const live = phase === 'live'
  const [shown, setShown] = useState<'nothing' | 'away' | 'back'>('nothing')
  useEffect(() => {
    const timer = live
      ? setTimeout(() => setShown((now) => (now === 'away' ? 'back' : now)))
      : setTimeout(() => setShown('away'), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [live])
  useEffect(() => {
    if (shown !== 'back') return
    const timer = setTimeout(() => setShown('nothing'), BACK_MS)
    return () => clearTimeout(timer)
  }, [shown])
  return shown
}
