import { Globe, Lock } from 'lucide-react'

/** Who may join a room, as it is asked. */
export const VISIBILITIES = [
  { value: 'private', icon: Lock, label: 'Private', text: 'Only people with an invite' },
  { value: 'public', icon: Globe, label: 'Public', text: 'Anyone here can find and join it' },
] as const
