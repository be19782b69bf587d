import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { useRooms } from '../../model/hooks'
import { Avatar } from '../../ui/Avatar'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { find } from './find'
import styles from './Switcher.module.css'

interface SwitcherProps {
  /** The room one is in: it is not offered until it is asked for. */
  current?: string
  open: boolean
  onClose: () => void
  onEnter: (roomId: string) => void
  /** Looks among the rooms that one is not in. */
  onDiscover: () => void
}

/** Goes to a room by a few letters of its name. */
export function Switcher(props: SwitcherProps) {
  return (
    <Dialog title="Go to a room" tall open={props.open} onClose={props.onClose}>
      <Finder {...props} />
    </Dialog>
  )
}

function Finder({ current, onClose, onEnter, onDiscover }: SwitcherProps) {
  const listId = useId()
  const list = useRef<HTMLUListElement>(null)
  const [typed, setTyped] = useState('')
  const [chosen, setChosen] = useState(0)
  const rooms = (useRooms() ?? []).map((room) => room.get().room)
  const places = rooms.map(({ id, name, unread_count }) => ({ id, name, unread: unread_count }))
  const found = find(places, typed).filter(({ id }) => typed.trim() !== '' || id !== current)
  const at = Math.min(chosen, found.length - 1)
  const optionId = (id: string) => `${listId}-${id}`

  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' })
  }, [at])

  const enter = (id: string | undefined) => {
    if (id === undefined) return
    onClose()
    onEnter(id)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter') enter(found[at]?.id)
    else if (event.key === 'ArrowDown') setChosen((at + 1) % Math.max(1, found.length))
    else if (event.key === 'ArrowUp') setChosen((at - 1 + found.length) % Math.max(1, found.length))
    else return
    event.preventDefault()
  }

  return (
    <>
      <input
        role="combobox"
        aria-label="Name of the room"
        aria-expanded={found.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={found[at] === undefined ? undefined : optionId(found[at].id)}
        className={styles.field}
        placeholder="A few letters of its name"
        autoComplete="off"
        spellCheck={false}
        data-first
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id={listId} role="listbox" aria-label="Rooms" className={styles.list}>
        {found.map(({ id, name, unread }, index) => (
          <li
            key={id}
            id={optionId(id)}
            role="option"
            aria-selected={index === at}
            className={styles.option}
            onPointerMove={() => setChosen(index)}
            onClick={() => enter(id)}
          >
            <Avatar id={id} name={name} />
            <span className={styles.name}>{name}</span>
            {unread > 0 && <span className={styles.unread}>{unread >= 100 ? '99+' : unread} new</span>}
          </li>
        ))}
      </ul>
      {found.length > 0 && (
        <p aria-hidden className={styles.keys}>
          <kbd>↑ ↓</kbd> choose <kbd>Enter</kbd> go <kbd>Esc</kbd> close
        </p>
      )}
      {found.length === 0 && (
        <div role="status" className={styles.none}>
          <p>{typed.trim() === '' ? 'You are in no other room.' : 'None of your rooms is called that.'}</p>
          <Button onClick={onDiscover}>Look among public rooms</Button>
        </div>
      )}
    </>
  )
}
