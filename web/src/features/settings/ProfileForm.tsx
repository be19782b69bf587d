import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useChat, useMe } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { updateMe } from '../../model/requests'
import { Avatar } from '../../ui/Avatar'
import { Button } from '../../ui/Button'
import { Field } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { useUnsaved } from '../../ui/unsaved'
import styles from './Settings.module.css'

/** What others see of oneself. */
export function ProfileForm() {
  const chat = useChat()
  const me = useMe()
  // Until it is touched it goes along with what it is, in whichever tab it was changed.
  const [typed, setTyped] = useState<string>()
  const name = typed ?? me.display_name
  const wanted = name.trim()
  const save = useMutation({
    mutationFn: () => updateMe(chat.api, { display_name: wanted }),
    onSuccess: (user) => {
      chat.setMe(user)
      setTyped((still) => (still?.trim() === user.display_name ? undefined : still))
    },
  })
  const refused = refusalOf(save.error)
  useUnsaved(wanted === me.display_name || save.isPending ? undefined : 'Discard what you typed?')
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <div className={styles.me}>
        <Avatar id={me.id} name={wanted === '' ? me.display_name : wanted} size="l" />
        <p>
          <strong>{wanted === '' ? me.display_name : wanted}</strong>
          <small>{me.guest ? 'guest' : `@${me.username}`}</small>
        </p>
      </div>
      <Field
        label="Your name"
        value={name}
        onChange={(event) => {
          const { value } = event.currentTarget
          setTyped(value === me.display_name ? undefined : value)
          if (refused.until === undefined) save.reset()
        }}
        autoComplete="name"
        most={80}
        hint={me.guest ? 'What others see.' : 'What others see. Your username stays as it is.'}
        required
      />
      <Foot refused={refused} done={save.isSuccess ? 'Saved. Everybody sees it already.' : undefined}>
        <Button
          type="submit"
          tone="primary"
          busy={save.isPending}
          until={refused.until}
          disabled={wanted === '' || wanted === me.display_name}
        >
          Save
        </Button>
      </Foot>
    </form>
  )
}
