import { useId } from 'react'
import styles from './Field.module.css'

interface SelectProps {
  label: string
  value: string
  onChange: (value: string) => void
  /** By their values, in order. */
  options: Partial<Record<string, { label: string }>>
}

/** A labelled choice of one of several. */
export function Select({ label, value, onChange, options }: SelectProps) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <span className={styles.select}>
        <select id={id} className={styles.input} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {Object.entries(options).map(([each, option]) => (
            <option key={each} value={each}>
              {option?.label}
            </option>
          ))}
        </select>
      </span>
    </div>
  )
}
