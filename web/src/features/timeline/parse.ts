import type { Code, RootContent } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmAutolinkLiteralFromMarkdown } from 'mdast-util-gfm-autolink-literal'
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough'
import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal'
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough'
import { isModest } from './bounds'
import { withWritten } from './written'

/**
 * Definitions (`[todo]: milk`) are not shown, and would take away what was written. HTML is shown as the text that it is, so that
 * looking for its ends, far down the text, is work for nothing.
 */
const WITHOUT = { disable: { null: ['definition', 'htmlFlow', 'htmlText'] } }

/** CommonMark, and what a chat needs beyond it: ~~strike~~ and bare links. (All of GFM would bring tables and footnotes, and their weight.) */
const WITH = {
  extensions: [gfmStrikethrough(), gfmAutolinkLiteral(), WITHOUT],
  mdastExtensions: [gfmStrikethroughFromMarkdown(), gfmAutolinkLiteralFromMarkdown()],
}

/** The blocks of a text; undefined when it is to be shown as it was written, having no words or more marks than a chat needs. */
export type Blocks = RootContent[] | undefined

/** A list that is scrolled through draws its rows again and again: the last texts are parsed once. */
const KEPT = 200
const parsed = new Map<string, Blocks>()

export function parse(text: string): Blocks {
  const blocks = parsed.has(text) ? parsed.get(text) : parseAnew(text)
  parsed.delete(text)
  parsed.set(text, blocks)
  for (const oldest of parsed.keys()) {
    if (parsed.size <= KEPT) break
    parsed.delete(oldest)
  }
  return blocks
}

function parseAnew(text: string): Blocks {
  const parts = partsOf(text)
  if (!isModest(parts.filter((part) => typeof part === 'string').join('\n'))) return undefined
  try {
    const blocks = parts.flatMap((part) => (typeof part === 'string' ? withWritten(fromMarkdown(part, WITH).children, part) : [part]))
    return blocks.every(({ type }) => type === 'thematicBreak') ? undefined : blocks
  } catch {
    return undefined // whatever a text may do to the parser, it is one message, and nothing of it is lost
  }
}

const FENCE = /^(?:(`{3,})([^`]*)|(~{3,})(.*))$/

/**
 * The text without its blocks of code, and these. A fence that stands at the beginning of its line ends everything before it, and
 * what it holds is no Markdown: it is not parsed, and does not count. Those within quotes and lists are the parser's.
 */
function partsOf(text: string): (string | Code)[] {
  const parts: (string | Code)[] = []
  const lines = text.split(/\r\n|\n|\r/)
  let from = 0
  for (let at = 0; at < lines.length; at++) {
    const found = FENCE.exec(lines[at] ?? '')
    if (found === null) continue
    const fence = found[1] ?? found[3] ?? ''
    const end = endOf(lines, at + 1, fence)
    const value = lines.slice(at + 1, end).join('\n')
    if (value.trim() !== '') {
      parts.push(lines.slice(from, at).join('\n'), { type: 'code', lang: (found[2] ?? found[4] ?? '').trim(), value })
      from = end + 1
    }
    at = end
  }
  return [...parts, lines.slice(from).join('\n')]
}

/** The line that closes the fence, or the one after the last. */
function endOf(lines: string[], from: number, fence: string): number {
  const closes = new RegExp(`^ {0,3}${fence}${fence.charAt(0)}*[ \\t]*$`)
  const found = lines.slice(from).findIndex((line) => closes.test(line))
  return found < 0 ? lines.length : from + found
}
