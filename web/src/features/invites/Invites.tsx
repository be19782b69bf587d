import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Check, Copy } from 'lucide-react'
import { useRef, useState } from 'react'
import { awaited } from '../../model/awaited'
import { useChat, useRoomState } from '../../model/hooks'
import { refusalOf } from '../../model/problems'
import { type Invite, createInvite, invitesKey, listInvites, revokeInvite } from '../../model/requests'
import type { RoomStore } from '../../model/roomStore'
import { Awaited } from '../../ui/Awaited'
import { Button, IconButton } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Field, FormError } from '../../ui/Field'
import { Foot } from '../../ui/Foot'
import { Select } from '../../ui/Select'
import { useClipboard } from '../../ui/useClipboard'
import { useHandOver } from '../../ui/useHandOver'
import styles from './InviteDialog.module.css'
import { LASTING, USES, linkOf, termsOf } from './terms'

const REFUSALS = { forbidden: 'Only owners and admins may invite, and you are neither any more.' }

interface InvitesProps {
  room: RoomStore
  open: boolean
  onClose: () => void
}

export default function Invites({ room, open, onClose }: InvitesProps) {
  const name = useRoomState(room, (state) => state.room.name)
  return (
    <Dialog title={`Invite to ${name}`} description="Whoever opens the link can join." tall open={open} onClose={onClose}>
      <Links roomId={room.id} />
    </Dialog>
  )
}

function Links({ roomId }: { roomId: string }) {
  const chat = useChat()
  const queries = useQueryClient()
  const [lasting, setLasting] = useState('week')
  const [uses, setUses] = useState('any')
  const [another, setAnother] = useState(false)
  const invites = useQuery({ queryKey: invitesKey(roomId), queryFn: () => listInvites(chat.api, roomId), staleTime: 0 })
  const create = useMutation({
    mutationFn: () =>
      createInvite(chat.api, roomId, { expires_in_s: LASTING[lasting]?.seconds ?? null, max_uses: USES[uses]?.count ?? null }),
    onSettled: () => void queries.invalidateQueries({ queryKey: invitesKey(roomId) }), // the link is shown before the list has it
  })
  const refused = refusalOf(create.error, REFUSALS)
  const others = invites.data?.filter(({ code }) => code !== create.data?.code) ?? []
  return (
    <div className={styles.invites}>
      {create.data === undefined ? (
        <>
          <div className={styles.terms}>
            <Select label="Works for" value={lasting} onChange={setLasting} options={LASTING} />
            <Select label="For how many" value={uses} onChange={setUses} options={USES} />
          </div>
          <Foot refused={refused}>
            <Button tone="primary" autoFocus={another} busy={create.isPending} until={refused.until} onClick={() => create.mutate()}>
              Create link
            </Button>
          </Foot>
        </>
      ) : (
        <NewLink
          invite={create.data}
          onAnother={() => {
            setAnother(true)
            create.reset()
          }}
        />
      )}
      <Awaited {...awaited(invites, 'the links that work', REFUSALS)} />
      {others.length > 0 && (
        <section aria-labelledby="invites-there">
          <h3 id="invites-there" className={styles.heading}>
            Links that work
          </h3>
          <ul aria-labelledby="invites-there">
            {others.map((invite) => (
              <InviteRow key={invite.code} roomId={roomId} invite={invite} />
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

function NewLink({ invite, onAnother }: { invite: Invite; onAnother: () => void }) {
  const { copied, copy } = useClipboard()
  const link = linkOf(invite, location.origin)
  return (
    <>
      <div className={styles.link}>
        <Field label="Invite link" readOnly value={link} onFocus={(event) => event.currentTarget.select()} hint={termsOf(invite)} />
        <Button tone="primary" autoFocus onClick={() => void copy(link)}>
          {copied ? <Check size={17} aria-hidden /> : <Copy size={17} aria-hidden />}
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <Foot>
        <Button onClick={onAnother}>Another link</Button>
      </Foot>
    </>
  )
}

function InviteRow({ roomId, invite }: { roomId: string; invite: Invite }) {
  const chat = useChat()
  const queries = useQueryClient()
  const { copied, copy } = useClipboard()
  const row = useRef<HTMLLIElement>(null)
  useHandOver(row)
  const end = useMutation({
    mutationFn: () => revokeInvite(chat.api, roomId, invite.code),
    onSuccess: () => queries.invalidateQueries({ queryKey: invitesKey(roomId) }),
  })
  const refused = refusalOf(end.error, REFUSALS)
  return (
    <li ref={row} className={styles.row}>
      <p>
        <strong>…{invite.code.slice(-6)}</strong>
        <small>{termsOf(invite)}</small>
      </p>
      <IconButton
        label={copied ? 'Copied' : `Copy the link that ends in ${invite.code.slice(-6)}`}
        onClick={() => void copy(linkOf(invite, location.origin))}
      >
        {copied ? <Check size={17} aria-hidden /> : <Copy size={17} aria-hidden />}
      </IconButton>
      <Button
        aria-label={`Revoke the link that ends in ${invite.code.slice(-6)}`}
        busy={end.isPending}
        until={refused.until}
        onClick={() => end.mutate()}
      >
        Revoke
      </Button>
      <FormError {...refused} />
    </li>
  )
}
