const count = (of: number, one: string, many: string) => (of === 0 ? [] : [of === 1 ? one : `${of} ${many}`])

/** What logging out takes away for good; undefined where it takes nothing. */
export function lossOf({ messages, drafts }: { messages: number; drafts: number }, guest: boolean): string | undefined {
  const lost = [...count(messages, 'a message that was not sent', 'messages that were not sent'), ...count(drafts, 'a draft', 'drafts')]
  const said = lost.length === 0 ? [] : [`You lose ${lost.join(' and ')}.`]
  if (guest) said.unshift('You cannot come back as this guest. To come back another day, close the window instead.')
  return said.length === 0 ? undefined : said.join(' ')
}
