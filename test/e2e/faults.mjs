// What goes wrong in pages without anybody asking: after each test, none of its pages may have had a fault.
import assert from 'node:assert/strict'
import { after, afterEach } from 'node:test'

/** The browser's own words about a network that is gone, and about refusals, which tests bring about and look at themselves. */
const OF_THE_NETWORK = /^Failed to load resource: |^WebSocket connection to '[^']*' failed: /
const watched = []

/**
 * Watches all pages of a context, workers too: errors nobody caught, whatever the console complains of, answers that no
 * page should get. `wanted` is for what a test brings about by itself: faults that match one of these are none.
 */
export function watch(context) {
  const [faults, wanted] = [[], []]
  const note = (fault) => {
    if (!wanted.some((each) => each.test(fault))) faults.push(fault)
  }
  context.on('weberror', (event) => {
    const error = event.error()
    note(error.stack ?? error.message)
  })
  context.on('console', (message) => {
    const kind = message.type()
    if ((kind === 'error' || kind === 'warning') && !OF_THE_NETWORK.test(message.text())) note(`${kind}: ${message.text()}`)
  })
  context.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (response.status() >= 500 || (response.status() === 404 && !pathname.startsWith('/api/'))) note(`HTTP ${response.status()}: ${pathname}`)
  })
  watched.push(faults)
  return { faults, wanted }
}

/** What has gone wrong since it was asked last. */
export const takeFaults = () => watched.flatMap((faults) => faults.splice(0))

function none() {
  assert.deepEqual(takeFaults(), [], 'a page had a fault')
}

// No test has to ask, so none can forget to. What goes wrong after the last one is found too.
if (process.argv[1]?.endsWith('.test.mjs')) {
  afterEach(none)
  after(none)
}
