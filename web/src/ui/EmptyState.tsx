import { type ReactNode, useEffect, useRef } from 'react'
import styles from './EmptyState.module.css'

interface EmptyStateProps {
  icon: ReactNode
  title: string
  children: ReactNode
}

/** A page with nothing on it yet, and what to do next. It takes the focus: what had it before is gone. */
export function EmptyState({ icon, title, children }: EmptyStateProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // Later than a dialog that is gone gives the focus back; one that is open keeps it.
    const timer = setTimeout(() => {
      if (document.querySelector('[role="dialog"][data-open]') === null) heading.current?.focus({ preventScroll: true })
    })
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className={styles.empty}>
      <div className={styles.icon}>{icon}</div>
      <h1 ref={heading} tabIndex={-1} className={styles.title}>
        {title}
      </h1>
      <div className={styles.text}>{children}</div>
    </div>
  )
}
