import { type ComponentType, useEffect, useState } from 'react'
import styles from './later.module.css'

/** Everything that is shown later, to be loaded ahead. */
const parts: (() => Promise<unknown>)[] = []

/** What opens and closes is asked for each time that it is opened, until it is there. */
interface MayClose {
  open?: boolean
  onClose?: () => void
}

/**
 * A part of the app that is loaded when it is first shown, not with the page. Where it does not come that is said, and
 * the rest of the page goes on: the server may be away, or of another version.
 */
export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined
  const ask = async () => {
    Loaded = (await load()).default
  }
  parts.push(ask)
  return function Later(props: P & MayClose) {
    const { open = true, onClose } = props
    const [state, setState] = useState<'asked' | 'there' | 'missing'>('asked')
    useEffect(() => {
      if (Loaded !== undefined || !open) return
      let wanted = true
      const settle = (next: typeof state) => {
        if (wanted) setState(next)
      }
      ask().then(() => settle('there'), () => settle('missing'))
      return () => {
        wanted = false
      }
    }, [open])
    if (Loaded !== undefined) return <Loaded {...props} />
    return open && state === 'missing' && <Missing onClose={onClose} />
  }
}

function Missing({ onClose }: Pick<MayClose, 'onClose'>) {
  return (
    <div role="alert" className={onClose === undefined ? styles.part : styles.popup}>
      <p>
        This part of the app did not come: the server does not answer, or is newer than this page. Reload once it is back. What
        you wrote is kept.
      </p>
      {onClose !== undefined && (
        <button type="button" onClick={onClose}>
          Close
        </button>
      )}
    </div>
  )
}

/** Loads all of it before it is asked for: a page without a service worker has it only as long as the server is there. */
export async function loadAhead(): Promise<void> {
  await Promise.allSettled(parts.map((ask) => ask()))
}
