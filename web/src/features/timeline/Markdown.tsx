import { Link } from '@tanstack/react-router'
import { Component, type ReactNode, Suspense, lazy, memo } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import remarkBreaks from 'remark-breaks'
import { placeOf } from './links'
import styles from './Markdown.module.css'
import { remarkChat } from './remarkChat'

/** What a message may become; everything else is shown as the text it was written as. No images (they are links): they would tell a stranger's server who reads. */
const ALLOWED = [
  'p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'a', 'ul', 'ol', 'li',
  'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr',
]

/** react-markdown's own rule would let through irc and xmpp, and paths, which lead into the app itself. */
const LEADS_SOMEWHERE = /^(https?:\/\/|mailto:)/i

/** None outside of a page. */
const ORIGIN = typeof location === 'undefined' ? '' : location.origin

/** Loaded with the first block of code that says its language. */
const Highlighted = lazy(() => import('./Highlighted'))

const COMPONENTS: Components = {
  // The page's first heading is the room's name, and what a message has of them stands below it.
  h1: 'h3', h2: 'h4', h3: 'h5', h4: 'h6', h5: 'h6',
  code: ({ className, children }) => {
    const language = /^language-(.+)$/.exec(className ?? '')?.[1]
    if (language === undefined || typeof children !== 'string') return <code>{children}</code>
    return (
      <code className={className}>
        <Suspense fallback={children}>
          <Highlighted language={language} code={children} />
        </Suspense>
      </code>
    )
  },
  a: ({ href, children }) => {
    if (href === undefined || !LEADS_SOMEWHERE.test(href)) return children
    const place = placeOf(href, ORIGIN)
    if (place !== undefined) {
      return (
        <Link to="/rooms/$roomId" params={{ roomId: place.roomId }} search={{ at: place.at }}>
          {children ?? href}
        </Link>
      )
    }
    return (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children ?? href}
      </a>
    )
  },
}

const PLUGINS = [remarkChat, remarkBreaks]

/** Text in which nothing can be Markdown needs no parser. */
const SPECIAL = /[*_~`#>[\]<&\\|@:=]|www\.|\n[ \t]|^\s|^[-+\d]|\n[-+\d]/i

/** Up to three emoji and nothing else: they are the whole message, and are shown so. */
const ONLY_EMOJI =
  /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\u{FE0F}\p{Emoji_Modifier}]?(?:\u{200D}\p{Extended_Pictographic}[\u{FE0F}\p{Emoji_Modifier}]?)*)\s*){1,3}$/u

/** A message's text. Raw HTML is never interpreted, and links are http, https or mailto only. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className={ONLY_EMOJI.test(text) ? `${styles.text} ${styles.large}` : styles.text} dir="auto">
      {SPECIAL.test(text) ? (
        <Otherwise shown={<Plain text={text} />}>
          <ReactMarkdown remarkPlugins={PLUGINS} allowedElements={ALLOWED} unwrapDisallowed components={COMPONENTS}>
            {text}
          </ReactMarkdown>
        </Otherwise>
      ) : (
        <Plain text={text} />
      )}
    </div>
  )
})

function Plain({ text }: { text: string }) {
  return text.split(/\n{2,}/).map((part, index) => (
    <p key={index} className={styles.plain}>
      {part}
    </p>
  ))
}

/** Whatever a message may do to the parser, it is one message: it is shown as it was written. */
class Otherwise extends Component<{ shown: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    return this.state.failed ? this.props.shown : this.props.children
  }
}
