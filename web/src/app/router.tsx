import { Outlet, createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { ChatLayout } from './ChatLayout'
import { BrokenPage, HomePage, InviteRoute, LoginPage, NotFoundPage } from './pages'
import { RoomPage } from './RoomPage'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage })

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search): { next?: string } => (typeof search.next === 'string' ? { next: search.next } : {}),
  component: LoginPage,
})

const invite = createRoute({ getParentRoute: () => root, path: '/invite/$code', component: InviteRoute })

const chat = createRoute({ getParentRoute: () => root, id: 'chat', component: ChatLayout })
const home = createRoute({ getParentRoute: () => chat, path: '/', component: HomePage })
const room = createRoute({
  getParentRoute: () => chat,
  path: '/rooms/$roomId',
  validateSearch: (search): { at?: number } => (Number.isSafeInteger(search.at) ? { at: Number(search.at) } : {}),
  component: RoomPage,
})

export const router = createRouter({
  routeTree: root.addChildren([login, invite, chat.addChildren([home, room])]),
  defaultErrorComponent: BrokenPage,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
