import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ChatContext, SessionContext, useStore } from '../model/hooks'
import { isRefusal, notBefore } from '../model/problems'
import { membersKey } from '../model/requests'
import { Session } from '../model/session'
import { router } from './router'

const AGAIN_SOON_MS = 1_000
const AGAIN_MS = 10_000

/** What the server refused is refused again; what got no answer may get one. */
const mayHelp = (failures: number, error: Error) => failures < 1 && !isRefusal(error)

// Without a network a request is tried and fails, and that is said: it does not wait without a word. As long as what was
// asked for is on screen it is asked for again.
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      networkMode: 'always',
      retry: mayHelp,
      retryDelay: (_, error) => notBefore(error, AGAIN_SOON_MS),
      refetchInterval: ({ state: { error } }) => error !== null && !isRefusal(error) && notBefore(error, AGAIN_MS),
    },
    mutations: { networkMode: 'always' },
  },
})

/** Begins to find out who is using this browser. */
export function openSession(server: string): Session {
  const session = new Session(server, ({ roomId }) => {
    void queries.invalidateQueries({ queryKey: membersKey(roomId) })
  })
  void session.start()
  return session
}

export function App({ session }: { session: Session }) {
  const state = useStore(session.state)
  const { status } = state
  useEffect(() => {
    if (status === 'in') return () => queries.clear() // what one user asked for is not the next one's
  }, [status])
  return (
    <QueryClientProvider client={queries}>
      <SessionContext value={session}>
        <ChatContext value={state.status === 'in' ? state.chat : undefined}>
          <RouterProvider router={router} />
        </ChatContext>
      </SessionContext>
    </QueryClientProvider>
  )
}
