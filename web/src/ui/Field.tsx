import { type ComponentProps, useId } from 'react'
import styles from './Field.module.css'

interface FieldProps extends ComponentProps<'input'> {
  label: string
  hint?: string
}

/** A labelled line of text. */
export function Field({ label, hint, ...rest }: FieldProps) {
  const id = useId()
  const hintId = hint === undefined ? undefined : `${id}-hint`
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-describedby={hintId} className={styles.input} {...rest} />
      {hint !== undefined && (
        <p id={hintId} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** What went wrong, said at once to screen readers. */
export function FormError({ children }: { children?: string }) {
  return (
    <p role="alert" className={children === undefined ? styles.nothing : styles.error}>
      {children}
    </p>
  )
}

/** That it went well, said when screen readers have the time. */
export function FormDone({ children }: { children?: string }) {
  return (
    <p role="status" className={children === undefined ? styles.nothing : styles.done}>
      {children}
    </p>
  )
}
