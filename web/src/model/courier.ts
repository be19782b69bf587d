import { CommandError } from '../net/link'
import type { SendReply } from '../net/frames'
import type { Outbox } from './outbox'
import type { Outgoing } from './timeline'

export interface CourierHandlers {
  /** Sends on the live connection. Rejects with CommandError, or anything else when the connection is gone. */
  send(fields: { room_id: string; client_id: string; body: string }): Promise<SendReply>
  onSent(roomId: string, clientId: string, seq: number): void
  onRefused(roomId: string, clientId: string, why: string): void
}

interface Lane {
  waiting: Outgoing[]
  sending: boolean
}

/** These pass by themselves; every other refusal is for good, and for the user to see. */
const PASSING = new Set(['rate_limited', 'unavailable'])
const PAUSE_MS = 1_000
const MOVED_MS = 50

/**
 * Carries the outbox to the server: per room one message at a time, so that their order holds whatever is refused or
 * cut off in between, and each always with the `client_id` it was written with, so that a resend adds nothing (SEQ2).
 */
export class Courier {
  private readonly outbox: Outbox
  private readonly handlers: CourierHandlers
  private readonly lanes = new Map<string, Lane>()
  private live = false
  private pause: ReturnType<typeof setTimeout> | undefined

  constructor(outbox: Outbox, handlers: CourierHandlers) {
    this.outbox = outbox
    this.handlers = handlers
  }

  /** Queues a message; it is on disk before long and on its way as soon as there is a connection. */
  enqueue(roomId: string, message: Outgoing): void {
    void this.outbox.put(roomId, message)
    const lane = this.lane(roomId)
    if (lane.waiting.some((other) => other.client_id === message.client_id)) return
    lane.waiting.push(message)
    void this.drain(roomId, lane)
  }

  /** It is committed, as its own entry shows, or the user gave it up. */
  drop(roomId: string, clientId: string): void {
    void this.outbox.remove(clientId)
    const lane = this.lane(roomId)
    lane.waiting = lane.waiting.filter((message) => message.client_id !== clientId)
  }

  /** The room is the user's no more: what waits for it is not sent, and stays on disk. */
  hold(roomId: string): void {
    this.lane(roomId).waiting = []
  }

  setLive(live: boolean): void {
    this.live = live
    if (!live) {
      clearTimeout(this.pause)
      this.pause = undefined
      return
    }
    for (const [roomId, lane] of this.lanes) void this.drain(roomId, lane)
  }

  private lane(roomId: string): Lane {
    let lane = this.lanes.get(roomId)
    if (lane === undefined) {
      lane = { waiting: [], sending: false }
      this.lanes.set(roomId, lane)
    }
    return lane
  }

  private async drain(roomId: string, lane: Lane): Promise<void> {
    if (lane.sending) return
    lane.sending = true
    try {
      while (this.live && this.pause === undefined) {
        const message = lane.waiting[0]
        if (message === undefined || !(await this.carry(roomId, message))) break
      }
    } finally {
      lane.sending = false
    }
  }

  /** Whether the lane can go on. */
  private async carry(roomId: string, message: Outgoing): Promise<boolean> {
    const { client_id, body } = message
    try {
      const { seq } = await this.handlers.send({ room_id: roomId, client_id, body })
      this.drop(roomId, client_id)
      this.handlers.onSent(roomId, client_id, seq)
      return true
    } catch (error) {
      if (!(error instanceof CommandError)) {
        if (this.live) this.waitAWhile(MOVED_MS) // the connection has moved to another link; else setLive goes on
        return false
      }
      if (PASSING.has(error.code)) {
        this.waitAWhile(error.retryAfterMs || PAUSE_MS)
        return false
      }
      const lane = this.lane(roomId)
      if (!lane.waiting.some((other) => other.client_id === client_id)) return true // given up or held meanwhile
      lane.waiting = lane.waiting.filter((other) => other.client_id !== client_id)
      void this.outbox.put(roomId, { ...message, state: 'failed', why: error.code })
      this.handlers.onRefused(roomId, client_id, error.code)
      return true
    }
  }

  private waitAWhile(ms: number): void {
    clearTimeout(this.pause)
    this.pause = setTimeout(() => {
      this.pause = undefined
      if (this.live) this.setLive(true)
    }, ms)
  }
}
