import { type ComponentProps, useId, useState } from 'react'
import styles from './Field.module.css'

interface FieldProps extends ComponentProps<'input'> {
  label: string
  hint?: string
}

/** A labelled line of text. What does not fit is said below it, not in a bubble of the browser's that covers the hint. */
export function Field({ label, hint, onInput, ...rest }: FieldProps) {
  const id = useId()
  const [fault, setFault] = useState<string>()
  const said = fault ?? hint
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        aria-describedby={said === undefined ? undefined : `${id}-said`}
        aria-invalid={fault !== undefined}
        className={styles.input}
        onInvalid={(event) => {
          event.preventDefault()
          const input = event.currentTarget
          setFault(faultOf(input, label, hint))
          if (input.form?.querySelector(':invalid') === input) input.focus()
        }}
        onInput={(event) => {
          setFault(undefined)
          onInput?.(event)
        }}
        {...rest}
      />
      {said !== undefined && (
        <p id={`${id}-said`} role={fault === undefined ? undefined : 'alert'} className={fault === undefined ? styles.hint : styles.fault}>
          {said}
        </p>
      )}
    </div>
  )
}

/** A hint says what is wanted; it only has to be read. */
function faultOf(input: HTMLInputElement, label: string, hint?: string): string {
  if (input.validity.valueMissing) return `${label} is missing.`
  return hint === undefined ? input.validationMessage : `That does not fit. ${hint}.`
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
