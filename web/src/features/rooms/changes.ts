import type { RoomState } from '../../model/roomStore'

type Profile = Pick<RoomState['room'], 'name' | 'topic' | 'visibility'>

/** What of a room is to be another: only that is sent, so that nobody undoes what somebody else changed meanwhile. */
export function changesOf(now: Profile, wanted: Profile): Partial<Profile> {
  const [name, topic] = [wanted.name.trim(), wanted.topic.trim()]
  return {
    ...(name !== now.name && { name }),
    ...(topic !== now.topic && { topic }),
    ...(wanted.visibility !== now.visibility && { visibility: wanted.visibility }),
  }
}
