import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodeCommand, isCommandName, parseFrame } from './frames'

interface Golden {
  name: string
  direction: 'in' | 'out'
  frame: { type: string; id?: number } & Record<string, unknown>
}

const folder = new URL('../../../internal/wire/testdata/frames/', import.meta.url)
const golden = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden)
const from = (direction: 'in' | 'out') => golden.filter((one) => one.direction === direction)

describe('the golden frames', () => {
  test('are there, both ways', () => {
    expect(from('in').length).toBeGreaterThan(5)
    expect(from('out').length).toBeGreaterThan(10)
  })

  test.each(from('out'))('$name is parsed', ({ frame }) => {
    expect(parseFrame(JSON.stringify(frame))).toEqual([frame])
  })

  test('joined in one frame they are parsed in order', () => {
    const frames = from('out').map(({ frame }) => frame)
    expect(parseFrame(frames.map((frame) => JSON.stringify(frame)).join('\n'))).toEqual(frames)
  })

  test.each(from('in').filter(({ frame }) => frame.type !== 'pong'))('$name is what this client sends', ({ frame }) => {
    const { type, id, ...fields } = frame
    if (!isCommandName(type)) throw new Error(`this client has no command ${type}`)
    expect(JSON.parse(encodeCommand(type, id ?? 0, fields as never))).toEqual(frame)
  })
})

describe('parseFrame', () => {
  test.each([
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no type', '{"id":1}'],
    ['an entry without a number', '{"type":"entry","room_id":"r"}'],
    ['a fraction for a number', '{"type":"resumed","room_id":"r","recovered":true,"head_seq":1.5}'],
    ['one bad line among good ones', '{"type":"ping"}\n{'],
  ])('refuses %s', (_what, frame) => {
    expect(() => parseFrame(frame)).toThrow(SyntaxError)
  })

  test('leaves out types it does not know, and blank lines', () => {
    expect(parseFrame('{"type":"confetti"}\n\n{"type":"constructor"}\n{"type":"ping"}')).toEqual([{ type: 'ping' }])
  })
})
