import { Eye, EyeOff } from 'lucide-react'
import { type ComponentProps, type RefObject, useEffect, useEffectEvent, useId, useRef, useState } from 'react'
import { IconButton } from './Button'
import styles from './Field.module.css'
import { inWords, useSecondsLeft } from './useSecondsLeft'

interface FieldProps extends Omit<ComponentProps<'input'>, 'maxLength'> {
  label: string
  hint?: string
  /** Characters that it may hold. More can be typed, and is said: what is cut off without a word is not missed until later. */
  most?: number
}

/** A password that is shown is still none of a spelling service's. */
const SHOWN = { type: 'text', spellCheck: false, autoCapitalize: 'none', autoCorrect: 'off' }

/** The part of a limit that may be left before it is spoken of. */
const WARN_PART = 0.2

/** Spaces around a text are not sent; those around a password are. */
const lengthOf = (text: string, type?: string) => Array.from(type === 'password' ? text : text.trim()).length

/** A labelled line of text. What does not fit is said below it, not in a bubble of the browser's that covers the hint. */
export function Field({ label, hint, most = Infinity, onInput, ...rest }: FieldProps) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [fault, setFault] = useState<string>()
  const [typed, setTyped] = useState('')
  const left = most - lengthOf(typeof rest.value === 'string' ? rest.value : typed, rest.type)
  const limit = left < most * WARN_PART ? limitOf(left, most) : undefined
  const said = fault ?? limit ?? hint
  const isFaulty = fault !== undefined || left < 0
  useTooLong(input, left < 0)
  const [shown, setShown] = useState(false)
  useForm(input, 'reset', () => setTyped(''))
  useForm(input, 'submit', () => setShown(false)) // password managers keep what is in a field of their kind
  return (
    <div className={styles.field}>
      <label htmlFor={id} id={`${id}-label`}>
        {label}
      </label>
      <input
        ref={input}
        id={id}
        aria-describedby={said === undefined ? undefined : `${id}-said`}
        aria-invalid={isFaulty}
        className={styles.input}
        onInvalid={(event) => {
          event.preventDefault()
          const refused = event.currentTarget
          setFault(left < 0 ? limitOf(left, most) : faultOf(refused, label, hint))
          if (refused.form?.querySelector(':invalid') === refused) refused.focus()
        }}
        onInput={(event) => {
          setFault(undefined)
          setTyped(event.currentTarget.value)
          onInput?.(event)
        }}
        {...rest}
        {...(shown ? SHOWN : {})}
      />
      {rest.type === 'password' && (
        <IconButton
          label="Show what is typed"
          aria-describedby={`${id}-label`}
          aria-pressed={shown}
          className={styles.show}
          onMouseDown={(event) => event.preventDefault()} // a press of it does not take the focus from the field
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff size={18} aria-hidden /> : <Eye size={18} aria-hidden />}
        </IconButton>
      )}
      {(hint !== undefined || rest.required === true || most < Infinity) && (
        <p
          id={`${id}-said`}
          role={fault === undefined ? undefined : 'alert'}
          className={isFaulty ? styles.fault : styles.hint}
          data-hinted={hint !== undefined}
        >
          {said}
        </p>
      )}
    </div>
  )
}

/** Tells the browser, so that no form is sent with it. */
function useTooLong(input: RefObject<HTMLInputElement | null>, isTooLong: boolean): void {
  useEffect(() => input.current?.setCustomValidity(isTooLong ? 'too long' : ''), [input, isTooLong])
}

/** What becomes of the form as a whole is told to the form, and not to its fields. */
function useForm(input: RefObject<HTMLInputElement | null>, what: 'reset' | 'submit', then: () => void): void {
  const latest = useEffectEvent(then)
  useEffect(() => {
    const form = input.current?.form
    const listener = () => latest()
    form?.addEventListener(what, listener)
    return () => form?.removeEventListener(what, listener)
  }, [input, what])
}

function limitOf(left: number, most: number): string {
  if (left < 0) return `Too long by ${(-left).toLocaleString()}: ${most.toLocaleString()} characters fit. Shorten it.`
  return left === 1 ? '1 character left' : `${left.toLocaleString()} characters left`
}

/** A hint says what is wanted; it only has to be read. */
function faultOf(input: HTMLInputElement, label: string, hint?: string): string {
  if (input.validity.valueMissing) return `${label} is missing.`
  if (hint === undefined) return input.validationMessage
  const [wanted = hint] = hint.split('. ')
  return input.validity.tooShort ? `Too short: ${wanted.charAt(0).toLowerCase()}${wanted.slice(1)}.` : `That does not fit. ${wanted}.`
}

export interface FormErrorProps {
  children?: string
  /** When it may be tried again. */
  until?: number
}

/** What went wrong, said at once to screen readers; and how long there is to wait. */
export function FormError({ children, until }: FormErrorProps) {
  return (
    <p role="alert" className={children === undefined ? styles.nothing : styles.error}>
      {children}
      {children !== undefined && until !== undefined && <Wait key={until} until={until} />}
    </p>
  )
}

/** Counts down for the eye; said aloud is how long it is at first, and when it is over. */
function Wait({ until }: { until: number }) {
  const left = useSecondsLeft(until)
  const [atFirst] = useState(left)
  if (left === 0) return ' You can try again now.'
  return (
    <>
      <span aria-hidden className={styles.wait}>{` Try again in ${inWords(left)}.`}</span>
      <span className="visuallyHidden">{` Try again in ${inWords(atFirst)}.`}</span>
    </>
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
