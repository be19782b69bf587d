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
  const all = name.trim().split(/[\s._-]+/u).filter((word) => word !== '')
  const named = all.filter((word) => TELLING.test(word))
  const words = named.length > 0 ? named : all.slice(0, 1)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map((word) => firstOf(word ?? '')).join('').toUpperCase()
}

const CHARACTERS = new Intl.Segmenter()
/** Letters, digits, pictures: no brackets, and nothing that can't be seen. */
const TELLING = /[\p{L}\p{N}\p{Extended_Pictographic}\p{RI}]/u

/** The first character as people count them (a family is one) that tells something; the first of all, where none does. */
function firstOf(word: string): string {
  const characters = Array.from(CHARACTERS.segment(word), ({ segment }) => segment)
  return characters.find((each) => TELLING.test(each)) ?? characters[0] ?? ''
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
