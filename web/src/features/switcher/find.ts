/** Something that can be gone to by its name. */
export interface Place {
  id: string
  name: string
  unread: number
}

/** Letters without case and accents, so that "cafe" finds "Café". */
const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase()

/**
 * How well a name answers what was typed: 0 best, undefined not at all. A name that begins so comes before one with a
 * word that begins so, before one that has it anywhere, before one that has its letters in this order.
 */
function rank(name: string, typed: string): number | undefined {
  if (name.startsWith(typed)) return 0
  if (name.split(/[\s\p{P}]+/u).some((word) => word.startsWith(typed))) return 1
  if (name.includes(typed)) return 2
  return inOrder(name, typed) ? 3 : undefined
}

function inOrder(name: string, typed: string): boolean {
  let from = 0
  for (const letter of typed) {
    if (letter === ' ') continue
    const at = name.indexOf(letter, from)
    if (at < 0) return false
    from = at + letter.length
  }
  return true
}

/** The places that answer what was typed, best first; as good as each other, in the order given. With nothing typed, those with something unread come first. */
export function find<T extends Place>(places: readonly T[], typed: string): T[] {
  const wanted = plain(typed.trim())
  if (wanted === '') return places.toSorted((a, b) => Number(b.unread > 0) - Number(a.unread > 0))
  return places
    .flatMap((place) => {
      const at = rank(plain(place.name), wanted)
      return at === undefined ? [] : [{ place, at }]
    })
    .sort((a, b) => a.at - b.at)
    .map(({ place }) => place)
}
