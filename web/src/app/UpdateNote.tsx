import { useEffect } from 'react'
import { useChat, useStore } from '../model/hooks'
import { newerIsThere, updates } from './updates'
import styles from './UpdateNote.module.css'

/** Says that a newer version is there, until it is shown. Whenever the server comes back it may be another one: then it is looked for. */
export function UpdateNote() {
  const ready = useStore(newerIsThere)
  const live = useStore(useChat().connection).phase === 'live'
  useEffect(() => {
    if (live) updates.check()
  }, [live])
  return (
    <div role="status" aria-label="Version">
      {ready && (
        <p className={styles.note}>
          A new version is ready.
          <button type="button" onClick={() => updates.apply()}>
            Reload
          </button>
        </p>
      )}
    </div>
  )
}
