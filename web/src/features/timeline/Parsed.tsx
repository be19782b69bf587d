import { Link } from '@tanstack/react-router'
import { Image as ImageIcon } from 'lucide-react'
import type { Image, Link as LinkNode, List, ListItem, Nodes, PhrasingContent, RootContent } from 'mdast'
import { type CSSProperties, Fragment, type ReactNode, Suspense, lazy } from 'react'
import { placeOf } from './links'

/** None outside of a page. */
const ORIGIN = typeof location === 'undefined' ? '' : location.origin

/** Loaded with the first block of code that says its language. */
const Highlighted = lazy(() => import('./Highlighted'))

/**
 * A message that is Markdown. What is named here is all that it may become, without any attribute of its own but the addresses of links;
 * those that may be none are text already (see parse).
 */
export function Parsed({ blocks }: { blocks: RootContent[] }) {
  return blocks.map(shown)
}

function shown(node: Nodes, key: number): ReactNode {
  switch (node.type) {
    case 'paragraph':
      return <p key={key}>{node.children.map(shown)}</p>
    case 'text':
      return <Fragment key={key}>{lines(node.value)}</Fragment>
    case 'break':
      return <Fragment key={key}>{BREAK}</Fragment>
    case 'strong':
      return <strong key={key}>{node.children.map(shown)}</strong>
    case 'emphasis':
      return <em key={key}>{node.children.map(shown)}</em>
    case 'delete':
      return <del key={key}>{node.children.map(shown)}</del>
    case 'link':
      return <Fragment key={key}>{link(node)}</Fragment>
    case 'image':
      return <Fragment key={key}>{picture(node)}</Fragment>
    case 'inlineCode':
      return <code key={key}>{node.value.replaceAll(/\r?\n|\r/g, ' ')}</code>
    case 'code':
      return <pre key={key}>{code(node.value, node.lang)}</pre>
    case 'blockquote':
      return <blockquote key={key}>{node.children.map(shown)}</blockquote>
    case 'list':
      return <Fragment key={key}>{list(node)}</Fragment>
    case 'heading': {
      const Heading = HEADINGS[node.depth - 1] ?? 'h6'
      return <Heading key={key}>{node.children.map(shown)}</Heading>
    }
    case 'thematicBreak':
      return <hr key={key} />
    default:
      return null // definitions, tables and HTML, which the parser was not told of
  }
}

/** The page's first heading is the room's name, and what a message has of them stands below it. */
const HEADINGS = ['h3', 'h4', 'h5', 'h6', 'h6', 'h6'] as const

/** What is copied has its line too. */
const BREAK = (
  <>
    <br />
    {'\n'}
  </>
)

/** A line is one wherever it was ended: this is a chat, and no document. */
function lines(text: string): ReactNode {
  return text.split(/[\t ]*(?:\r?\n|\r)[\t ]*/).map((line, at) => (
    <Fragment key={at}>
      {at > 0 && BREAK}
      {line}
    </Fragment>
  ))
}

function code(text: string, language?: string | null): ReactNode {
  const written = text === '' ? '' : `${text}\n`
  const name = language?.split(/\s/, 1)[0] ?? ''
  if (name === '' || written === '') return <code>{written}</code>
  return (
    <code className={`language-${name}`}>
      <Suspense fallback={written}>
        <Highlighted language={name} code={written} />
      </Suspense>
    </code>
  )
}

function link({ url, children }: LinkNode): ReactNode {
  const words = children.length === 0 ? url : children.map(inWords).map(shown)
  const place = placeOf(url, ORIGIN)
  if (place !== undefined) {
    return (
      <Link to="/rooms/$roomId" params={{ roomId: place.roomId }} search={{ at: place.at }}>
        {words}
      </Link>
    )
  }
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  )
}

/** A link to it, never the picture itself: loaded, it would tell a stranger's server who reads. */
function picture({ url, alt }: Image): ReactNode {
  const words = wordsOf(alt, url)
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" title="A picture: it opens in a new tab">
      <ImageIcon size={15} role="img" aria-label="Picture:" /> {words}
    </a>
  )
}

function wordsOf(alt: string | null | undefined, url: string): string {
  const words = alt?.trim() ?? ''
  return words === '' ? url : words
}

/** A picture that is a link leads where the link does: in a link there is no other. */
function inWords(node: PhrasingContent): PhrasingContent {
  if (node.type === 'image') return { type: 'text', value: wordsOf(node.alt, node.url) }
  return 'children' in node ? { ...node, children: node.children.map(inWords) } : node
}

function list({ ordered, start, spread, children }: List): ReactNode {
  const loose = (spread ?? false) || children.some(isLoose)
  const items = children.map((item, at) => <li key={at}>{item.children.map(loose ? shown : tight)}</li>)
  if (!ordered) return <ul>{items}</ul>
  const first = start ?? 1
  return (
    <ol start={first === 1 ? undefined : first} style={columnOf(first + items.length - 1)}>
      {items}
    </ol>
  )
}

/** How wide the column of the numbers is; one or two digits fit into that of all lists. */
function columnOf(last: number): CSSProperties | undefined {
  const digits = String(last).length
  return digits < 3 ? undefined : ({ '--digits': digits } as CSSProperties)
}

const isLoose = ({ spread, children }: ListItem) => spread ?? children.length > 1

/** In a list without blank lines an item's words are no paragraph. */
function tight(node: Nodes, key: number): ReactNode {
  return node.type === 'paragraph' ? <Fragment key={key}>{node.children.map(shown)}</Fragment> : shown(node, key)
}
