import { useMutation } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useChat, useMe } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { changePassword } from '../../model/requests'
import { Button } from '../../ui/Button'
import { Field } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { useUnsaved } from '../../ui/unsaved'
import styles from './Settings.module.css'

const REFUSALS = {
  bad_credentials: 'That is not your current password. Nothing was changed.',
  forbidden: 'Guests have no password.',
}

/** Whether there is anything by hand: what a password manager has filled in, it fills in again. */
const isTyped = (form: HTMLFormElement) =>
  [...form.querySelectorAll<HTMLInputElement>('[name="current"], [name="new"]')].some((field) => field.value !== '' && !field.matches(':autofill'))

export function PasswordForm() {
  const chat = useChat()
  const { username } = useMe()
  const form = useRef<HTMLFormElement>(null)
  const [typed, setTyped] = useState(false)
  const change = useMutation({
    mutationFn: (body: Parameters<typeof changePassword>[1]) => changePassword(chat.api, body),
    onSuccess: () => {
      form.current?.reset()
      setTyped(false)
    },
  })
  const refused = refusalOf(change.error, REFUSALS)
  useUnsaved(typed && !change.isPending ? 'Discard what you typed?' : undefined)
  return (
    <form
      ref={form}
      className={styles.form}
      onInput={(event) => setTyped(isTyped(event.currentTarget))}
      onSubmit={(event) => {
        event.preventDefault()
        const data = new FormData(event.currentTarget)
        const text = (name: string) => data.get(name) as string // both are fields of text
        change.mutate({ current_password: text('current'), new_password: text('new') })
      }}
    >
      {/* Password managers keep a new password under the name that they find with it. */}
      <input type="text" name="username" value={username} autoComplete="username" readOnly hidden />
      <Field label="Current password" name="current" type="password" autoComplete="current-password" required />
      <Field
        label="New password"
        name="new"
        type="password"
        autoComplete="new-password"
        minLength={10}
        most={1000}
        hint="At least 10 characters. You are logged out everywhere but here."
        required
      />
      <Foot refused={refused} done={change.isSuccess ? 'Changed. Everywhere else you were logged out.' : undefined}>
        <Button type="submit" tone="primary" busy={change.isPending} until={refused.until}>
          Change password
        </Button>
      </Foot>
    </form>
  )
}
