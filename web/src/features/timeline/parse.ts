import type { Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmAutolinkLiteralFromMarkdown } from 'mdast-util-gfm-autolink-literal'
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough'
import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal'
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough'

/** What would take from a message something that was written: definitions (`[todo]: milk`) are not shown. */
const WITHOUT = { disable: { null: ['definition'] } }

/** CommonMark, and what a chat needs beyond it: ~~strike~~ and bare links. (All of GFM would bring tables and footnotes, and their weight.) */
const WITH = {
  extensions: [gfmStrikethrough(), gfmAutolinkLiteral(), WITHOUT],
  mdastExtensions: [gfmStrikethroughFromMarkdown(), gfmAutolinkLiteralFromMarkdown()],
}

export const parse = (text: string): Root => fromMarkdown(text, WITH)
