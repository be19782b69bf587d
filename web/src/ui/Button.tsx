import type { ComponentProps } from 'react'
import styles from './Button.module.css'
import { inWords, useSecondsLeft } from './useSecondsLeft'

type Tone = 'primary' | 'soft' | 'plain' | 'quiet' | 'danger'

interface ButtonProps extends ComponentProps<'button'> {
  tone?: Tone
  busy?: boolean
  /** Until when it is off, which it says when asked. */
  until?: number
}

/** The class of a link that looks like a button. */
export const buttonLook = (tone: Tone) => `${styles.button} ${styles[tone]}`

/** A button that is off keeps the focus: one that was pressed and does its work would lose it. */
export function Button({ tone = 'plain', busy = false, until, className, children, disabled = false, onClick, ...rest }: ButtonProps) {
  const left = useSecondsLeft(until)
  const off = disabled || busy || left > 0
  return (
    <button
      type="button"
      className={[buttonLook(tone), className].filter(Boolean).join(' ')}
      aria-busy={busy}
      aria-disabled={off}
      title={left > 0 ? `Not yet: try again in ${inWords(left)}` : undefined}
      onClick={(event) => {
        // A form is not sent then, by Enter neither. The second click of a double one comes before what the first did shows.
        if (off || event.detail > 1) event.preventDefault()
        else onClick?.(event)
      }}
      {...rest}
    >
      {children}
    </button>
  )
}

interface IconButtonProps extends ComponentProps<'button'> {
  /** What it does, for those who don't see the icon. */
  label: string
}

export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={[styles.icon, className].filter(Boolean).join(' ')}
      {...rest}
    >
      {children}
    </button>
  )
}
