// Who is in the pictures, where they talk, what they say and when. Whatever the server numbers and dates by itself is
// shown under the names and times given here, so that the same program takes the same pictures.
import { api } from '../stage.mjs'

/** The moment of all pictures: a Thursday morning. */
export const NOW = '2026-03-12T09:41:00Z'
const DAY_MS = 86_400_000
const at = (clock, daysAgo = 0) => `${new Date(Date.parse(NOW) - daysAgo * DAY_MS).toISOString().slice(0, 11)}${clock}:00Z`

const PEOPLE = {
  alice: 'Alice Moreau',
  bob: 'Bob Tanaka',
  carol: 'Carol Whitfield',
  dave: 'Dave Okafor',
  erin: 'Erin Lindqvist',
  frank: 'Frank Aalto',
}

const CODE = '```go\n// Entries are numbered without a hole, whoever asks.\nfunc (l *Log) Append(e Entry) (uint64, error) {\n\tif e.Body == "" {\n\t\treturn 0, ErrEmpty\n\t}\n\tl.head++\n\treturn l.head, nil\n}\n```'

/** Rooms in the order they are made. `members` are in besides the owner. Each line: who, when (and how many days ago), what. */
const ROOMS = [
  { key: 'quiet', name: 'Quiet corner', visibility: 'private', members: ['dave'], talk: [] },
  { key: 'solo', name: 'Garden plans', visibility: 'private', members: [], talk: [] },
  {
    key: 'lunch', name: 'Lunch', visibility: 'public', topic: 'Noon, somewhere', members: ['bob', 'carol', 'dave', 'erin'],
    talk: [['erin', '12:40', 1, 'Soup was good. Same place on Friday?']],
  },
  {
    key: 'planning', name: 'Quarterly planning for the northern harbour offices', visibility: 'private',
    topic: 'Budget, people, dates', members: ['carol', 'dave'],
    talk: [['carol', '15:02', 2, 'I put the numbers of last quarter into the sheet; have a look before Monday, please.']],
  },
  {
    key: 'design', name: 'Design review', visibility: 'private', topic: 'Show early, show often', members: ['bob', 'carol'],
    talk: [
      ['carol', '16:20', 1, 'What a message can be, all in one place. **Bold**, *italic*, ~~struck~~, `code`, and a link: https://example.com/style'],
      ['bob', '16:22', 1, `The log, as it stands:\n${CODE}`],
      ['carol', '16:31', 1, '> The log, as it stands\n\nTwo questions:\n1. What if the body is only spaces?\n2. Who sets `head` after a restart?'],
      ['alice', '16:35', 1, 'Both are in the tests:\n- spaces are trimmed before\n- `head` is read from the table\n\nSee **storage** :)'],
      ['bob', '16:36', 1, '🎉'],
    ],
  },
  {
    key: 'walks', name: 'Harbour walk', visibility: 'public', members: ['carol', 'dave'],
    talk: [
      ['alice', '08:50', 0, 'Who comes along on Sunday?'],
      ['dave', '09:02', 0, 'Low tide is at six.'],
      ['carol', '09:05', 0, 'Bring a jacket, it will be windy out there'],
    ],
    readUpTo: 'Who comes along on Sunday?',
  },
  {
    key: 'reading', name: 'Reading group', visibility: 'public', topic: 'Chapter 4 by Tuesday', members: ['erin', 'bob', 'carol'],
    talk: [
      ['erin', '18:10', 1, 'Who has the book?'],
      ['alice', '18:12', 1, 'I do. You can have it on Thursday.'],
      ['bob', '18:15', 1, 'Chapter 4 is long. Shall we split it in two?'],
      ['alice', '18:21', 1, 'Fine with me.'],
      ['erin', '08:31', 0, 'I am through the first half. No spoilers, but read it **slowly**.'],
      ['bob', '08:40', 0, 'On the train now, twenty pages in'],
      ['carol', '08:44', 0, 'Is the footnote on page 112 a joke?'],
      ['erin', '08:45', 0, 'It is not. That is the best part.'],
    ],
    readUpTo: 'Fine with me.',
  },
  {
    key: 'release', name: 'Release', visibility: 'public', topic: 'What ships next', members: ['bob', 'carol', 'dave', 'erin'],
    talk: [
      ['bob', '17:52', 1, 'Rolling the new version out tonight.'],
      ['dave', '17:53', 1, 'Good luck!'],
      ['bob', '08:58', 0, 'Morning! The update went through while everybody was talking. **Nobody noticed.**'],
      ['carol', '09:03', 0, 'I did not even see the banner.'],
      ['alice', '09:04', 0, 'That is the idea :) What did you run?'],
      ['bob', '09:10', 0, 'Nothing but this, in another terminal:\n```sh\nmake build\nbin/server --listen :8080 --data-dir ./data\n```'],
      ['dave', '09:15', 0, 'And a SIGKILL in the middle?'],
      ['bob', '09:16', 0, 'Twice. Every acknowledged message was there *once*.'],
      ['carol', '09:22', 0, 'Then let us write down what is left:\n- two nodes, one Redis\n- restore drill\n- read `SPEC.md` once more'],
      ['alice', '09:24', 0, 'I take the drill. ~~Tomorrow~~ Today.'],
      ['erin', '09:36', 0, 'Lunch at noon? There is a new place by the harbour: https://example.com/menu'],
      ['dave', '09:37', 0, 'I am in'],
      ['carol', '09:38', 0, 'Me too'],
    ],
  },
]

/** Rooms that Alice is not in. */
const OTHERS = [
  { key: 'chess', name: 'Chess at lunch', topic: 'Slow games, all welcome', by: 'dave', members: ['erin'] },
  { key: 'photos', name: 'Photos', topic: 'What you saw on the way', by: 'erin', members: ['bob', 'carol', 'dave'] },
  { key: 'bikes', name: 'Bikes and repairs', topic: '', by: 'bob', members: [] },
]

/** Where Alice is logged in besides. */
const DEVICES = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15',
]

const numbered = (kind, number) => `00000000-0000-7000-${kind}-${String(number).padStart(12, '0')}`

/** Makes all of it on a server, and tells how it is to be shown. */
export async function stageCast(server) {
  const rest = api(server.origin)
  const begun = Date.now()
  const [tokens, ids, rooms, swaps, times] = [{}, {}, {}, [], {}]
  const as = (username, method, path, body) => rest.call(method, path, { token: tokens[username], body })
  const invite = async (key, body) => (await as('alice', 'POST', `/rooms/${rooms[key].real}/invites`, body)).code
  const post = (key, username, body) => as(username, 'POST', `/rooms/${rooms[key].real}/messages`, { client_id: crypto.randomUUID(), body })

  for (const [number, [username, name]] of Object.entries(PEOPLE).entries()) {
    const { access_token, user } = await rest.register(username, name)
    tokens[username] = access_token
    ids[username] = user.id
    swaps.push([user.id, numbered('a000', number + 1)])
  }
  for (const agent of DEVICES) await rest.logIn('alice', { 'User-Agent': agent })
  for (const [number, { key, name, topic = '', visibility = 'public', by = 'alice', members }] of [...OTHERS, ...ROOMS].entries()) {
    const made = await as(by, 'POST', '/rooms', { name, topic, visibility })
    rooms[key] = { real: made.id, id: numbered('b000', number + 1) }
    swaps.push([made.id, rooms[key].id])
    const way = visibility === 'public' ? `/rooms/${made.id}/join` : `/invites/${await invite(key, { max_uses: 25 })}/accept`
    for (const username of members) await as(username, 'POST', way)
  }
  await as('alice', 'PATCH', `/rooms/${rooms.release.real}/members/${ids.bob}`, { role: 'admin' })
  for (const { key, talk, readUpTo } of ROOMS) {
    let isRead = true
    for (const [username, clock, daysAgo, body] of talk) {
      times[body] = at(clock, daysAgo)
      const { seq } = await post(key, username, body)
      if (isRead) await as('alice', 'POST', `/rooms/${rooms[key].real}/read`, { seq })
      isRead &&= body !== readUpTo
      // Who reads along has read all so far, and so opens the room at its end.
      if (key === 'release') for (const reader of ['bob', 'carol']) await as(reader, 'POST', `/rooms/${rooms[key].real}/read`, { seq })
    }
  }
  swaps.push([await invite('release', { max_uses: 5, expires_in_s: 86_400 }), 'Zr81nVd5Lp3e'])
  swaps.push([await invite('release', { max_uses: null, expires_in_s: 7 * 86_400 }), 'K4h2Wc9tQm7x'])
  return { rooms, post, link: '/invite/K4h2Wc9tQm7x', show: { swaps, times, now: NOW, noted: at('11:20', 3), begun } }
}
