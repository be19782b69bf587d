import { gfmAutolinkLiteralFromMarkdown } from 'mdast-util-gfm-autolink-literal'
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough'
import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal'
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough'
import type { Processor } from 'unified'

/** Where remark-parse looks for extensions. */
interface Extensions {
  micromarkExtensions?: unknown[]
  fromMarkdownExtensions?: unknown[]
}

/** What would take from a message something that was written: definitions (`[todo]: milk`) are not shown, and images are not loaded. */
const WITHOUT = { disable: { null: ['definition', 'labelStartImage'] } }

/** What a chat needs beyond CommonMark: ~~strike~~ and bare links. (remark-gfm would bring tables and footnotes, and their weight.) */
export function remarkChat(this: Processor): void {
  const data = this.data() as Extensions
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), gfmStrikethrough(), gfmAutolinkLiteral(), WITHOUT]
  data.fromMarkdownExtensions = [
    ...(data.fromMarkdownExtensions ?? []),
    gfmStrikethroughFromMarkdown(),
    gfmAutolinkLiteralFromMarkdown(),
  ]
}
