import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { find } from './find'

const named = (...names: string[]) => names.map((name, at) => ({ id: String(at), name, unread: 0 }))
const found = (typed: string, ...names: string[]) => find(named(...names), typed).map(({ name }) => name)

describe('finding a room by its name', () => {
  test('the beginning, then a word, then a part, then letters in order', () => {
    expect(found('re', 'Chores', 'Team: Release', 'Raise', 'Release', 'Lunch')).toEqual(['Release', 'Team: Release', 'Chores', 'Raise'])
  })

  test.each([
    ['cafe', 'Café'],
    ['CAFÉ', 'café'],
    ['hw', 'Harbour walk'],
    ['walk h', 'Walk home'],
    ['日', '日本'],
  ])('%s finds %s', (typed, name) => {
    expect(found(typed, 'Xyz', name)).toEqual([name])
  })

  test('what is as good stays in order: the last active first', () => {
    expect(found('t', 'Two', 'Ten', 'Three')).toEqual(['Two', 'Ten', 'Three'])
  })

  test('nothing typed shows all, those with something unread first', () => {
    const places = [{ id: 'a', name: 'A', unread: 0 }, { id: 'b', name: 'B', unread: 3 }, { id: 'c', name: 'C', unread: 0 }]
    expect(find(places, ' ').map(({ id }) => id)).toEqual(['b', 'a', 'c'])
  })

  test('a name always finds itself, and nothing is found that was not there', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })), fc.nat(), (names, at) => {
        const places = named(...names)
        const wanted = places[at % Math.max(1, places.length)]
        const answers = find(places, wanted?.name ?? 'x')
        expect(places).toEqual(expect.arrayContaining(answers))
        if (wanted !== undefined) expect(answers).toContain(wanted)
      }),
    )
  })
})
