import { StrictMode } from 'react'
import type { Root } from 'react-dom/client'
import { forget, recall, remember } from '../model/memory'
import { BadConfig, findServer } from '../net/config'
import { fullJitter } from '../net/backoff'
import { Splash } from '../ui/Splash'
import { App, openSession } from './App'

/** Where the server was when this browser was last told. */
const KEY = 'gochat-server'

/** Opens the app: at once where this browser knows where its server is, else when it has been told. */
export async function start(root: Root): Promise<void> {
  const known = recall(KEY)
  if (known === undefined) {
    await ask(root, 0)
    return
  }
  show(root, known)
  await follow(known)
}

function show(root: Root, server: string): void {
  const session = openSession(server)
  root.render(
    <StrictMode>
      <App session={session} />
    </StrictMode>,
  )
}

/** Without a network it is asked again. */
async function ask(root: Root, attempt: number): Promise<void> {
  try {
    const server = await findServer(location.origin)
    remember(KEY, server)
    show(root, server)
  } catch (error) {
    if (error instanceof BadConfig) {
      root.render(<Splash>{`This app is not set up yet, or not rightly. Tell whoever runs it: ${error.message}.`}</Splash>)
      return
    }
    root.render(<Splash>The server does not answer. Trying again…</Splash>)
    setTimeout(() => void ask(root, attempt + 1), fullJitter(attempt))
  }
}

/** Where the server has moved, the page begins anew. */
async function follow(known: string): Promise<void> {
  try {
    const server = await findServer(location.origin)
    if (server === known) return
    forget(KEY) // not remembered anew: where that can't be, the page would begin anew for ever
    location.reload()
  } catch {
    // no network, or a config.json that is wrong for now: what was right the last time goes on
  }
}
