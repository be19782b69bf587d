import { Logo } from './Logo'
import styles from './Splash.module.css'

/** All that there is to be seen as yet, and why. */
export function Splash({ children }: { children: string }) {
  return (
    <div role="status" className={styles.splash}>
      <Logo size={56} />
      <p>{children}</p>
    </div>
  )
}
