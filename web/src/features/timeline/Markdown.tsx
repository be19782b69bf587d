import { Component, type ReactNode, memo } from 'react'
import styles from './Markdown.module.css'
import { Parsed } from './Parsed'
import { parse } from './parse'

/** Text in which nothing can be Markdown needs no parser. */
const SPECIAL = /[*_~`#>[\]<&\\|@:=]|www\.|\n[ \t]|^\s|^[-+\d]|\n[-+\d]/i

/** Up to three emoji and nothing else: they are the whole message, and are shown so. */
const ONLY_EMOJI =
  /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\u{FE0F}\p{Emoji_Modifier}]?(?:\u{200D}\p{Extended_Pictographic}[\u{FE0F}\p{Emoji_Modifier}]?)*)\s*){1,3}$/u

/** A message's text. Raw HTML is never interpreted, and links are http, https or mailto only. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className={ONLY_EMOJI.test(text) ? `${styles.text} ${styles.large}` : styles.text} dir="auto">
      {SPECIAL.test(text) ? <Formatted text={text} /> : <Plain text={text} />}
    </div>
  )
})

function Formatted({ text }: { text: string }) {
  const blocks = parse(text)
  const written = <p className={styles.written}>{text}</p>
  if (blocks === undefined) return written
  return (
    <Otherwise shown={written}>
      <Parsed blocks={blocks} />
    </Otherwise>
  )
}

function Plain({ text }: { text: string }) {
  return text.split(/\n{2,}/).map((part, index) => (
    <p key={index} className={styles.plain}>
      {part}
    </p>
  ))
}

/** Whatever may be wrong with a message, it is one message: it is shown as it was written. */
class Otherwise extends Component<{ shown: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    return this.state.failed ? this.props.shown : this.props.children
  }
}
