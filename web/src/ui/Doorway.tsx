import type { ReactNode } from 'react'
import { Logo } from './Logo'
import styles from './Doorway.module.css'

/** The page for those who are not in yet. */
export function Doorway({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={styles.doorway}>
      <div className={styles.card}>
        <header className={styles.header}>
          <Logo size={44} />
          <h1 className={styles.title}>{title}</h1>
        </header>
        {children}
      </div>
    </main>
  )
}
