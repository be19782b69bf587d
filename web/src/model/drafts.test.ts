import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Drafts } from './drafts'
import { openOutbox } from './outbox'

const open: Drafts[] = []

async function tabOf(user: string) {
  const outbox = await openOutbox(user)
  const drafts = new Drafts(user, outbox)
  open.push(drafts)
  return { drafts, outbox, heard: () => new Promise<void>((done) => drafts.subscribe(done)) }
}

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
})
afterEach(() => {
  for (const drafts of open.splice(0)) drafts.close()
})

test('what is begun in one tab is there in the others of the same user, and in no other’s', async () => {
  const [one, two, bob] = [await tabOf('ann'), await tabOf('ann'), await tabOf('bob')]
  const heard = two.heard()
  one.drafts.write('r', 'half a thought')
  await heard
  expect([two.drafts.of('r'), two.drafts.of('s'), bob.drafts.of('r')]).toEqual(['half a thought', '', ''])
  const heardAgain = two.heard()
  one.drafts.write('r', '')
  await heardAgain
  expect(two.drafts.of('r')).toBe('')
})

test('who writes keeps it: who hears of it writes nothing', async () => {
  const [one, two] = [await tabOf('ann'), await tabOf('ann')]
  const written = vi.spyOn(two.outbox, 'setDraft')
  const heard = two.heard()
  one.drafts.write('r', 'half a thought')
  await heard
  expect(written).not.toHaveBeenCalled()
  await vi.waitFor(async () => expect((await openOutbox('ann')).draft('r')).toBe('half a thought'))
})

test('a tab that was left hears nothing', async () => {
  const [one, two, three] = [await tabOf('ann'), await tabOf('ann'), await tabOf('ann')]
  two.drafts.close()
  const heard = three.heard()
  one.drafts.write('r', 'half a thought')
  await heard
  expect(two.drafts.of('r')).toBe('')
})

test('who watches the draft of a room is told whoever writes it, and of no other room', async () => {
  const [one, two] = [await tabOf('ann'), await tabOf('ann')]
  const told: string[] = []
  one.drafts.watch('r', () => told.push(`r: ${one.drafts.of('r')}`))
  const stop = one.drafts.watch('r', () => told.push('not any more'))
  one.drafts.watch('s', () => told.push(`s: ${one.drafts.of('s')}`))
  stop()
  one.drafts.write('r', 'here')
  const heard = one.heard()
  two.drafts.write('s', 'there')
  await heard
  await vi.waitFor(() => expect(told).toEqual(['r: here', 's: there']))
})
