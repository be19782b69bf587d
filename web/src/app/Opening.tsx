import { Waiting } from '../ui/Awaited'
import styles from './pages.module.css'

/** Until it is known which rooms there are. Why that takes long is said by the banner above. */
export function Opening() {
  return (
    <main className={styles.opening}>
      <h1 className="visuallyHidden">GoChat</h1>
      <Waiting what="your rooms" />
    </main>
  )
}
