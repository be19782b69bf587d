// Every screen and panel: its name, what it shows, whose browser it is, where it begins and how it is come to.
import { banner, composer, log, members, message, pressUntil, roomLink, say, showMembers } from '../screens.mjs'

const button = (page, name) => page.getByRole('button', { name, exact: true })
const dialog = (page, name) => page.getByRole('dialog', { name })
const heading = (page, name) => page.getByRole('heading', { name })

const room = (key) => ({ rooms }) => `/rooms/${rooms[key].id}`

async function settings(page, part) {
  await page.getByRole('button', { name: /^You are/ }).click()
  await page.getByRole('menuitem', { name: 'Settings' }).click()
  await dialog(page, 'Settings').getByRole('group', { name: 'What to set' }).waitFor()
  if (part !== undefined) await button(dialog(page, 'Settings'), part).click()
}

async function invites(page) {
  await button(page, 'Invite people').first().click()
  await dialog(page, /^Invite to/).getByRole('list').waitFor()
}

async function menuOf(page, name) {
  await showMembers(page)
  await members(page).getByText('@bob').waitFor()
  if (name === undefined) return
  await members(page).getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menu').waitFor()
}

/** The ways in, for those who are not. */
const OUTSIDE = [
  { name: 'login', what: 'Log in', go: ({ page }) => button(page, 'As a guest').waitFor() },
  {
    name: 'login-refused',
    what: 'A wrong password',
    async go({ page }) {
      await page.getByLabel('Username').fill('alice')
      await page.getByLabel('Password').fill('not the password')
      await page.locator('form').getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('alert').getByText('fit together').waitFor()
    },
  },
  { name: 'register', what: 'Create an account', go: ({ page }) => page.getByRole('group').getByRole('button', { name: 'Create account' }).click() },
  { name: 'guest', what: 'Come as a guest', go: ({ page }) => button(page, 'As a guest').click() },
  { name: 'invite', what: 'An invite link, opened by a stranger', at: ({ link }) => link, go: ({ page }) => heading(page, 'Release').waitFor() },
  { name: 'invite-over', what: 'An invite that does not work', at: () => '/invite/nothing', go: ({ page }) => heading(page, 'This invite does not work').waitFor() },
  { name: 'unreachable', what: 'The server does not answer', act: 'unreachable', go: ({ page }) => page.getByText('does not answer').waitFor() },
]

const NEWCOMER = [
  { name: 'welcome', what: 'No room yet', go: ({ page }) => page.getByText(/You are in no room yet|Welcome, Frank/).first().waitFor() },
  {
    name: 'discover',
    what: 'Discover public rooms',
    async go({ page }) {
      await button(page, 'Discover rooms').click()
      await dialog(page, 'Discover rooms').getByText('Chess at lunch').waitFor()
    },
  },
]

const MEMBER = [
  {
    name: 'unread',
    what: 'The first unread line',
    at: room('reading'),
    async go({ page }) {
      await log(page).getByText('New', { exact: true }).waitFor()
      await message(page, 'I am through').waitFor()
    },
  },
  {
    name: 'chat',
    what: 'A room in use',
    at: room('release'),
    async go({ page }) {
      await message(page, 'Me too').waitFor()
      if ((await message(page, 'Noon it is').count()) === 0) await say(page, 'Noon it is. See you there!')
      await log(page).getByRole('img', { name: /^Seen by .*Bob.*/ }).waitFor()
    },
    async each({ page, bob }) {
      await composer(bob).fill('')
      await composer(bob).pressSequentially('By bike')
      await page.getByRole('status', { name: 'Typing' }).getByText('Bob Tanaka is typing').waitFor()
    },
    async after({ page, bob }) {
      await composer(bob).fill('')
      await page.getByRole('status', { name: 'Typing' }).getByText('Bob').waitFor({ state: 'hidden' })
    },
  },
  { name: 'home', what: 'The rooms, and none chosen', go: ({ page }) => roomLink(page, /^Release/).waitFor() },
  { name: 'room-alone', what: 'A new room, with nobody else in it', at: room('solo'), go: ({ page }) => log(page).getByText('Nobody else is here yet').waitFor() },
  { name: 'room-empty', what: 'A room in which nothing was said', at: room('quiet'), go: ({ page }) => log(page).getByRole('heading', { name: 'Quiet corner' }).waitFor() },
  { name: 'markdown', what: 'Markdown, and code in colours', at: room('design'), go: ({ page }) => message(page, 'Append').locator('code span').first().waitFor() },
  {
    name: 'message-actions',
    what: 'What can be done with a message',
    at: room('release'),
    async go({ page, touch }) {
      const row = message(page, 'I take the drill')
      await (touch ? row.tap() : row.hover())
    },
  },
  {
    name: 'link',
    what: 'A message that a link led to',
    at: (stage) => `${room('design')(stage)}?at=6`,
    async go({ page }) {
      await message(page, 'Two questions').waitFor()
      await message(page, 'Append').locator('code span').first().waitFor()
    },
  },
  {
    name: 'switcher',
    what: 'The quick switcher',
    at: room('release'),
    async go({ page }) {
      await message(page, 'Me too').waitFor()
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('r')
    },
  },
  {
    name: 'create-room',
    what: 'Create a room',
    async go({ page }) {
      await button(page, 'New room').click()
      await dialog(page, 'New room').getByLabel('Name').fill('Sailing club')
    },
  },
  {
    name: 'room-settings',
    what: 'Room settings',
    at: room('release'),
    async go({ page }) {
      await button(page, 'Room settings').click()
      await dialog(page, 'Room settings').getByLabel('Topic').waitFor()
    },
  },
  {
    name: 'room-delete',
    what: 'Deleting a room asks twice',
    at: room('release'),
    async go({ page }) {
      await button(page, 'Room settings').click()
      await button(dialog(page, 'Room settings'), 'Delete room').click()
    },
  },
  { name: 'invites', what: 'Invite links of a room', at: room('release'), go: ({ page }) => invites(page) },
  {
    name: 'invite-new',
    what: 'A new invite link',
    at: room('release'),
    async go({ page }) {
      await invites(page)
      await button(page, 'Create link').click()
      await page.getByLabel('Invite link').waitFor()
    },
  },
  { name: 'members', what: 'Members', at: room('release'), go: ({ page }) => menuOf(page) },
  { name: 'member-menu', what: 'What can be done with a member', at: room('release'), go: ({ page }) => menuOf(page, 'Carol Whitfield') },
  {
    name: 'leave',
    what: 'Leave a room',
    at: room('walks'),
    async go({ page }) {
      await showMembers(page)
      await members(page).getByRole('button', { name: 'Leave room' }).click()
      await dialog(page, /^Leave/).waitFor()
    },
  },
  {
    name: 'user-menu',
    what: 'The menu of oneself',
    async go({ page }) {
      await page.getByRole('button', { name: /^You are/ }).click()
      await page.getByRole('menu').waitFor()
    },
  },
  { name: 'profile', what: 'Settings: profile', go: ({ page }) => settings(page) },
  { name: 'look', what: 'Settings: theme, density and contrast', go: ({ page }) => settings(page, 'Look') },
  { name: 'notifications', what: 'Settings: notifications', go: ({ page }) => settings(page, 'Notifications') },
  { name: 'password', what: 'Settings: password', go: ({ page }) => settings(page, 'Password') },
  {
    name: 'sessions',
    what: 'Settings: where one is logged in',
    async go({ page }) {
      await settings(page, 'Sessions')
      await page.getByText('Here, now').waitFor()
    },
  },
  {
    name: 'help',
    what: 'Keyboard shortcuts',
    async go({ page }) {
      await page.getByRole('button', { name: /^You are/ }).waitFor()
      await page.keyboard.press('?') // by touch alone there is no other way to it
      await dialog(page, 'Keyboard shortcuts').waitFor()
    },
  },
  {
    name: 'emoji',
    what: 'Emoji',
    at: room('release'),
    async go({ page }) {
      await button(page, 'Emoji').click()
      await dialog(page, 'Emoji').waitFor()
    },
  },
  {
    name: 'preview',
    what: 'A message as it will be',
    at: room('lunch'),
    async go({ page }) {
      await message(page, 'Soup was good').waitFor()
      await composer(page).fill('Friday it is. **Please bring:**\n- an umbrella\n- the book of `chapter 4`\n\n> Same place on Friday?')
      await button(page, 'Preview').click()
      await page.getByRole('region', { name: 'Preview' }).getByText('an umbrella').waitFor()
    },
    after: ({ page }) => composer(page).fill(''),
  },
  {
    name: 'too-long',
    what: 'A message that is too long',
    at: room('release'),
    async go({ page }) {
      await composer(page).fill('So much to say. '.repeat(510))
      await composer(page).press('Enter')
      await page.getByText(/^Too long by/).waitFor()
    },
    after: ({ page }) => composer(page).fill(''),
  },
  {
    name: 'not-sent',
    what: 'A message that was refused',
    at: room('lunch'),
    act: 'endless',
    async go({ page }) {
      await say(page, 'The whole menu, with all that is in every dish:')
      await page.getByRole('alert').getByText('Not sent.').waitFor()
    },
    after: ({ page }) => button(page, 'Discard').click(),
  },
  {
    name: 'reading-above',
    what: 'Reading above, while new messages come',
    at: room('release'),
    async go({ page, post }) {
      await message(page, 'Me too').waitFor()
      await log(page).evaluate((element) => {
        element.dispatchEvent(new WheelEvent('wheel', { deltaY: -900 }))
        element.scrollBy({ top: -900, behavior: 'instant' })
      })
      await button(page, 'To the latest').waitFor()
      await post('release', 'erin', 'Table for five, then?')
      await post('release', 'dave', 'Yes please')
      await page.getByRole('button', { name: '2 new' }).waitFor()
    },
    after: ({ page }) => page.getByRole('button', { name: '2 new' }).click(),
  },
  { name: 'high-contrast', what: 'High contrast', at: room('release'), look: { contrast: 'more' }, go: ({ page }) => message(page, 'Me too').waitFor() },
  { name: 'compact', what: 'Compact density', at: room('release'), look: { density: 'compact' }, go: ({ page }) => message(page, 'Me too').waitFor() },
  {
    name: 'update',
    what: 'A new version is ready',
    at: room('release'),
    act: 'newer',
    async go({ page }) {
      await page.getByText('A new version is ready').waitFor()
      await log(page).getByRole('img', { name: /^Seen by/ }).waitFor()
    },
  },
  { name: 'not-a-member', what: 'A room that one is not in', at: room('chess'), go: ({ page }) => heading(page, 'You are not in this room').waitFor() },
  { name: 'not-found', what: 'An address that leads nowhere', at: () => '/nowhere', go: ({ page }) => heading(page, /There is no such page/).waitFor() },
  { name: 'broken', what: 'A fault of the app itself', at: room('release'), act: 'nameless', faults: [/^error: TypeError: /], go: ({ page }) => heading(page, 'Something went wrong here').waitFor() },
  {
    name: 'offline',
    what: 'Offline: what one writes is kept',
    at: room('lunch'),
    async go({ page, proxy }) {
      await message(page, 'Soup was good').waitFor()
      await page.context().setOffline(true)
      proxy.cut()
      await banner(page).getByText('You are offline').waitFor()
      await say(page, 'Friday is fine. I will book a table')
      await message(page, 'Friday is fine').getByRole('img', { name: 'Sending' }).waitFor()
    },
  },
  {
    name: 'reconnecting',
    what: 'The connection is being opened again',
    stay: true,
    async go({ page }) {
      await page.context().setOffline(false)
      // The longest wait between two tries: the one that lasts.
      await pressUntil(page, 'Trying again in 18 s')
    },
    after: ({ proxy }) => proxy.restore(),
  },
]

/** In this order, each as somebody: nobody yet, Frank who has just come, or Alice. */
export const SCENES = [
  ...OUTSIDE.map((scene) => ({ ...scene, as: undefined })),
  ...NEWCOMER.map((scene) => ({ ...scene, as: 'frank' })),
  ...MEMBER.map((scene) => ({ ...scene, as: 'alice' })),
]
