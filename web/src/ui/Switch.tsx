import { useId } from 'react'
import styles from './Switch.module.css'

interface SwitchProps {
  label: string
  hint: string
  on: boolean
  onChange: (on: boolean) => void
}

/** On or off, at once. */
export function Switch({ label, hint, on, onChange }: SwitchProps) {
  const id = useId()
  return (
    <div className={styles.switch}>
      <label className={styles.label}>
        <input
          type="checkbox"
          role="switch"
          aria-describedby={id}
          checked={on}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <strong>{label}</strong>
        <span aria-hidden className={styles.track} />
      </label>
      <p id={id} className={styles.hint}>
        {hint}
      </p>
    </div>
  )
}
