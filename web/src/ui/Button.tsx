import type { ComponentProps } from 'react'
import styles from './Button.module.css'

type Tone = 'primary' | 'soft' | 'plain' | 'quiet' | 'danger'

interface ButtonProps extends ComponentProps<'button'> {
  tone?: Tone
  busy?: boolean
}

/** The class of a link that looks like a button. */
export const buttonLook = (tone: Tone) => `${styles.button} ${styles[tone]}`

export function Button({ tone = 'plain', busy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={[buttonLook(tone), className].filter(Boolean).join(' ')}
      aria-busy={busy}
      disabled={disabled === true || busy}
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
