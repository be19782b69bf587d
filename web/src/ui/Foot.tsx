import type { ReactNode } from 'react'
import { FormDone, FormError, type FormErrorProps } from './Field'
import styles from './Foot.module.css'

interface FootProps {
  refused?: FormErrorProps
  /** That it went well, or how it goes: what is no refusal. */
  done?: string
  /** What is pressed. */
  children: ReactNode
}

/** The end of a form or a question: what is pressed, and what comes of it. */
export function Foot({ refused, done, children }: FootProps) {
  return (
    <div className={styles.foot}>
      <div className={styles.said}>
        <FormError {...refused} />
        <FormDone>{done}</FormDone>
      </div>
      <div className={styles.pressed}>{children}</div>
    </div>
  )
}
