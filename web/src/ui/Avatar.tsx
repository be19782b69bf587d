import styles from './Avatar.module.css'

interface AvatarProps {
  /** Whose it is: the colour comes from this, so it is the same everywhere. */
  id: string
  name: string
  size?: 's' | 'm' | 'l'
  presence?: 'online' | 'away' | 'offline'
}

const TONES = 10

function toneOf(id: string): number {
  let hash = 2166136261
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619)
  hash ^= hash >>> 15
  return (hash >>> 0) % TONES
}

export function initialsOf(name: string): string {
  const words = name.trim().split(/[\s._-]+/u).filter((word) => word !== '')
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map((word) => firstOf(word ?? '')).join('').toUpperCase()
}

const CHARACTERS = new Intl.Segmenter()

/** The first character as people count them: a family is one. */
function firstOf(word: string): string {
  for (const { segment } of CHARACTERS.segment(word)) return segment
  return ''
}

const PRESENCE_LABELS = { online: 'online', away: 'away', offline: 'offline' }

/** Somebody, or a room, as initials on their own colour. */
export function Avatar({ id, name, size = 'm', presence }: AvatarProps) {
  return (
    <span className={[styles.avatar, styles[size]].join(' ')}>
      <span aria-hidden className={[styles.initials, styles[`tone${toneOf(id)}`]].join(' ')}>
        {initialsOf(name)}
      </span>
      {presence !== undefined && presence !== 'offline' && (
        <span role="img" aria-label={PRESENCE_LABELS[presence]} className={[styles.dot, styles[presence]].join(' ')} />
      )}
    </span>
  )
}
