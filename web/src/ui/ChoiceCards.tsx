import type { LucideIcon } from 'lucide-react'
import styles from './ChoiceCards.module.css'

interface ChoiceCardsProps<T extends string> {
  legend: string
  /** Of the group of radio buttons. */
  name: string
  options: readonly { value: T; icon: LucideIcon; label: string; text?: string }[]
  value: T
  /** Side by side, where they are short. */
  inRow?: boolean
  onChange: (value: T) => void
}

/** One of a few, each with a word on what it means. */
export function ChoiceCards<T extends string>({ legend, name, options, value, inRow = false, onChange }: ChoiceCardsProps<T>) {
  return (
    <fieldset className={styles.cards} data-in-row={inRow}>
      <legend>{legend}</legend>
      {options.map(({ value: each, icon: Icon, label, text }) => (
        <label key={each} className={styles.card}>
          <input type="radio" name={name} checked={value === each} onChange={() => onChange(each)} />
          <Icon size={18} aria-hidden />
          <span>
            <strong>{label}</strong>
            {text !== undefined && <small>{text}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
