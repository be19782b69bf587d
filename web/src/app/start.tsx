import { StrictMode } from 'react'
import type { Root } from 'react-dom/client'
import { BadConfig, findServer } from '../net/config'
import { fullJitter } from '../net/backoff'
import { Splash } from '../ui/Splash'
import { App, openSession } from './App'

/** Opens the app once it is known where its server is. Without a network that is asked again. */
export async function start(root: Root, attempt = 0): Promise<void> {
  try {
    const session = openSession(await findServer(location.origin))
    root.render(
      <StrictMode>
        <App session={session} />
      </StrictMode>,
    )
  } catch (error) {
    if (error instanceof BadConfig) {
      root.render(<Splash>{`This app is not set up yet, or not rightly. Tell whoever runs it: ${error.message}.`}</Splash>)
      return
    }
    root.render(<Splash>The server does not answer. Trying again…</Splash>)
    setTimeout(() => void start(root, attempt + 1), fullJitter(attempt))
  }
}
