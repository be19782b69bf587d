import { useMutation, useQueryClient } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { useRef, useState } from 'react'
import { useChat } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { revokeOthers, sessionsKey } from '../../model/requests'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Foot } from '../../ui/Foot'
import { useHandOver } from '../../ui/useHandOver'
import styles from './Settings.module.css'
import { endedInWords } from './ended'

/** Logs out everywhere but here, after a question. It is asked for one by one: some may be done when one is refused. */
export function EndOthers({ count }: { count: number }) {
  const chat = useChat()
  const queries = useQueryClient()
  const end = useMutation({
    mutationFn: () => revokeOthers(chat.api),
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsKey }),
  })
  const { data } = end
  const failed = data !== undefined && data.ended < data.of
  const refused = refusalOf(end.error ?? data?.error ?? null)
  const said = failed ? `${endedInWords(data)} ${refused.children ?? ''}` : refused.children
  return (
    <div className={styles.others}>
      <Foot refused={{ ...refused, children: said }} done={data === undefined || failed ? undefined : endedInWords(data)}>
        {count > 0 && <Ask count={count} busy={end.isPending} until={refused.until} onYes={() => end.mutate()} />}
      </Foot>
    </div>
  )
}

interface AskProps {
  count: number
  busy: boolean
  until?: number
  onYes: () => void
}

function Ask({ count, busy, until, onYes }: AskProps) {
  const [asking, setAsking] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  useHandOver(place)
  const close = () => setAsking(false)
  return (
    <div ref={place}>
      <Button busy={busy} until={until} onClick={() => setAsking(true)}>
        <LogOut size={17} aria-hidden />
        Log out everywhere else
      </Button>
      <Dialog
        title="Log out everywhere else?"
        description={`${count === 1 ? 'The other place is' : `All ${count} other places are`} logged out at once; to come back, the password is needed there. You stay logged in here.`}
        open={asking}
        onClose={close}
      >
        <Foot>
          <Button data-first onClick={close}>
            Cancel
          </Button>
          <Button
            tone="danger"
            onClick={() => {
              close()
              onYes()
            }}
          >
            Log out elsewhere
          </Button>
        </Foot>
      </Dialog>
    </div>
  )
}
