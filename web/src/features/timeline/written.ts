import type { Nodes, RootContent } from 'mdast'

/** Others would let through scripts, and paths, which lead into the app itself. */
const LEADS_SOMEWHERE = /^(https?:\/\/|mailto:)/i

/**
 * The blocks, with what would vanish from the text put back as it was written: blocks without a word, and links and pictures that
 * lead nowhere, with their addresses.
 */
export function withWritten(blocks: RootContent[], source: string): RootContent[] {
  return blocks.map((block) => kept(block, source))
}

function kept<Node extends Nodes>(node: Node, source: string): Node
function kept(node: Nodes, source: string): Nodes {
  switch (node.type) {
    case 'link':
    case 'image':
      if (!LEADS_SOMEWHERE.test(node.url)) return { type: 'text', value: written(node, source) }
      break
    case 'blockquote':
    case 'list':
    case 'heading':
    case 'code':
    case 'paragraph':
      if (!hasWords(node)) return { type: 'paragraph', children: [{ type: 'text', value: written(node, source) }] }
  }
  if (!('children' in node)) return node
  return { ...node, children: node.children.map((child) => kept(child, source)) } as Nodes
}

function written({ position }: Nodes, source: string): string {
  return source.slice(position?.start.offset, position?.end.offset)
}

function hasWords(node: Nodes): boolean {
  if (node.type === 'link' || node.type === 'image') return true
  if ('children' in node) return node.children.some(hasWords)
  return 'value' in node && node.value.trim() !== ''
}
