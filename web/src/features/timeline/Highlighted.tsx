import { common, createLowlight } from 'lowlight'
import type { ReactNode } from 'react'
import styles from './Highlighted.module.css'

const lowlight = createLowlight(common)

type Node = ReturnType<typeof lowlight.highlight>['children'][number]

/** Code in colours; in a language that is not known, as it was written. Nothing but colours changes, so that nothing moves. */
export default function Highlighted({ language, code }: { language: string; code: string }) {
  if (!lowlight.registered(language)) return code
  return lowlight.highlight(language, code).children.map(shown)
}

function shown(node: Node, at: number): ReactNode {
  if (node.type === 'text') return node.value
  if (node.type !== 'element') return null
  const [kind = ''] = Array.isArray(node.properties.className) ? node.properties.className : []
  return (
    <span key={at} className={styles[classOf(kind)]}>
      {node.children.map(shown)}
    </span>
  )
}

/** hljs-selector-tag: selectorTag. */
const classOf = (kind: string) => kind.replace(/^hljs-/, '').replaceAll(/[-_]+(\w?)/g, (_, letter: string) => letter.toUpperCase())
