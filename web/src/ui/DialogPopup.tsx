import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { useCallback, useRef, useState } from 'react'
import { Button, IconButton } from './Button'
import type { DialogProps } from './Dialog'
import styles from './Dialog.module.css'
import { Foot } from './Foot'
import { useLayer } from './layers'
import { AskFirst, closeTyped } from './unsaved'

export default function DialogPopup({ title, description, tall, open, onClose, children }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null)
  const [asked, setAsked] = useState<Asked>()
  const [asking, setAsking] = useState(false)
  const ask = useCallback((question: string, then?: () => void) => {
    setAsked({ question, then })
    setAsking(true)
  }, [])
  const leave = () => closeTyped(onClose, ask)
  useLayer(open, leave)
  return (
    <Base.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) leave()
      }}
    >
      <Base.Portal>
        <Base.Backdrop forceRender className={styles.backdrop} />
        {/* What is first is marked, and not by autoFocus: it would have the focus before it is known where to give it back. */}
        <Base.Popup
          ref={popup}
          initialFocus={() => popup.current?.querySelector<HTMLElement>('[data-first="true"]') ?? true}
          className={styles.popup}
          data-tall={tall}
        >
          <header className={styles.header}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            <Base.Close render={<IconButton label="Close" />}>
              <X size={18} aria-hidden />
            </Base.Close>
          </header>
          {description !== undefined && (
            <Base.Description className={styles.description}>{description}</Base.Description>
          )}
          {/* One that closes asks nothing more: what it shows while it fades was sent, or thrown away. */}
          <AskFirst value={open ? ask : undefined}>{children}</AskFirst>
          {asked !== undefined && (
            <Question
              question={asked.question}
              open={asking}
              onKeep={() => setAsking(false)}
              onDiscard={() => {
                setAsking(false)
                onClose()
                asked.then?.()
              }}
            />
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

interface Asked {
  question: string
  /** What is done once it is thrown away. */
  then?: () => void
}

interface QuestionProps {
  question: string
  open: boolean
  onKeep: () => void
  onDiscard: () => void
}

/** Asks before what was typed is thrown away. */
function Question({ question, open, onKeep, onDiscard }: QuestionProps) {
  return (
    <DialogPopup title={question} description="It is not saved." open={open} onClose={onKeep}>
      <Foot>
        <Button data-first onClick={onKeep}>
          Keep it
        </Button>
        <Button tone="danger" onClick={onDiscard}>
          Discard
        </Button>
      </Foot>
    </DialogPopup>
  )
}
