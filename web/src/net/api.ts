import createClient, { type Client } from 'openapi-fetch'
import type { paths } from './api.gen'
import { type Grant, SessionOver, type Tokens, Unreachable } from './tokens'

/** A request that the server refused: an RFC 9457 problem. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  /** The stable, machine-readable code of the problem. */
  readonly code: string
  readonly retryAfterMs: number
  /** When trying again may help, where the server has said. */
  readonly until: number | undefined

  constructor(status: number, problem: unknown) {
    const { code, detail, retry_after_ms } = (problem ?? {}) as Record<string, unknown>
    super(typeof detail === 'string' ? detail : `HTTP ${status}`)
    this.status = status
    this.code = typeof code === 'string' ? code : 'unknown'
    this.retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : 0
    this.until = this.retryAfterMs > 0 ? Date.now() + this.retryAfterMs : undefined
  }
}

export type Api = Client<paths>

/** A page of a collection; `next_cursor` is null at its end. */
export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

const BASE = '/api/v1'

const OPEN_PATHS = /\/api\/v1\/(instance|auth\/(register|login|guest|refresh|logout)|openapi\.json)$/
const INVITE_PREVIEW = /\/api\/v1\/invites\/[^/]+$/

function needsToken(request: Request): boolean {
  const { pathname } = new URL(request.url)
  return !OPEN_PATHS.test(pathname) && !(request.method === 'GET' && INVITE_PREVIEW.test(pathname))
}

/** As long as an answer is waited for: a dead network says nothing. What may have been done, and can't be done again, is waited for longer. */
const READ_WITHIN_MS = 12_000
const WRITE_WITHIN_MS = 30_000

function fetchInTime(request: Request): Promise<Response> {
  const mayRepeat = request.method === 'GET' || request.url.endsWith('/auth/login')
  return fetch(request, { signal: AbortSignal.timeout(mayRepeat ? READ_WITHIN_MS : WRITE_WITHIN_MS) })
}

/** Whether the fault of a request is that nobody answered. */
const isSilence = (error: unknown) => error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')

/** A wrong password is the user's to mend: asking again, with a new token, would only count as another try. */
async function isBadPassword(response: Response): Promise<boolean> {
  const problem: unknown = await response.clone().json()
  return new ApiError(response.status, problem).code === 'bad_credentials'
}

/** The REST client, typed by the server's OpenAPI document. It brings the token along, and a new one after a 401. */
export function createApi(origin: string, tokens: Tokens): Api {
  const send = async (request: Request): Promise<Response> => {
    if (!needsToken(request)) return fetchInTime(request)
    const again = request.clone()
    request.headers.set('Authorization', `Bearer ${await tokens.access()}`)
    const response = await fetchInTime(request)
    if (response.status !== 401 || (await isBadPassword(response))) return response
    tokens.forget()
    again.headers.set('Authorization', `Bearer ${await tokens.access()}`)
    return fetchInTime(again)
  }
  return createClient<paths>({
    baseUrl: new URL(BASE, origin).href,
    credentials: 'include', // the server may be of another origin than the page
    querySerializer: { array: { style: 'form', explode: false } }, // ids=a,b,c
    fetch: send,
  })
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of an answer; throws ApiError for a refusal, Unreachable when there was no answer. */
export async function bodyOf<T>(answer: Promise<Answer<T>>): Promise<T> {
  let settled: Answer<T>
  try {
    settled = await answer
  } catch (error) {
    throw isSilence(error) ? new Unreachable('the server did not answer') : error
  }
  if (!settled.response.ok) throw new ApiError(settled.response.status, settled.error)
  return settled.data as T
}

/** Asks for a new access token by the cookie. Throws SessionOver or Unreachable. */
export async function requestRefresh(origin: string): Promise<Grant> {
  let response: Response
  try {
    response = await fetch(new URL(`${BASE}/auth/refresh`, origin), {
      method: 'POST',
      credentials: 'include',
      signal: AbortSignal.timeout(READ_WITHIN_MS),
    })
  } catch {
    throw new Unreachable('the server did not answer')
  }
  if (response.ok) return (await response.json()) as Grant
  if (response.status === 401 || response.status === 403) {
    const problem = new ApiError(response.status, await response.json().catch(() => undefined))
    throw new SessionOver('log in again', problem.code === 'session_revoked')
  }
  const retryAfterS = Number(response.headers.get('Retry-After') ?? 0)
  throw new Unreachable(`HTTP ${response.status}`, Number.isFinite(retryAfterS) ? retryAfterS * 1000 : 0)
}
