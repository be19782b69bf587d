import type { RoomState } from '../../model/roomStore'

type Profile = Pick<RoomState['room'], 'name' | 'topic' | 'visibility'>

/** What of a room somebody has touched and not saved. The rest goes along with the room, whoever changes it. */
export type Touched = Partial<Profile>

/** Touches something more. What is put back as it is counts as never touched. */
export function touch(now: Profile, touched: Touched, change: Touched): Touched {
  return apart(now, { ...now, ...touched, ...change })
}

/** What of a room is to be another: only what was touched is sent, so that nobody undoes what somebody else changed meanwhile. */
export function changesOf(now: Profile, touched: Touched): Touched {
  const wanted = { ...now, ...touched }
  return apart(now, { ...wanted, name: wanted.name.trim(), topic: wanted.topic.trim() })
}

function apart(now: Profile, { name, topic, visibility }: Profile): Touched {
  return {
    ...(name !== now.name && { name }),
    ...(topic !== now.topic && { topic }),
    ...(visibility !== now.visibility && { visibility }),
  }
}
