import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ChatContext, SessionContext, useStore } from '../model/hooks'
import { membersKey } from '../model/requests'
import { Session } from '../model/session'
import { router } from './router'

const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 30_000 } } })

const session = new Session(location.origin, ({ roomId }) => {
  void queries.invalidateQueries({ queryKey: membersKey(roomId) })
})

export function App() {
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

export const startSession = () => session.start()
