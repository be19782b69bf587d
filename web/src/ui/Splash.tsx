import { Logo } from './Logo'
import styles from './Splash.module.css'

/** All that there is to be seen as yet, and why. */
export function Splash({ children }: { children: string }) {
  return (
    <main className={styles.splash}>
      <Logo size={56} />
      <h1 className="visuallyHidden">GoChat</h1>
      <p role="status">{children}</p>
    </main>
  )
}
