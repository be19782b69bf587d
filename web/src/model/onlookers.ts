import { Tabs } from './tabs'

/** As long as the other tabs have to answer; those behind are woken late. */
const WITHIN_MS = 250

/** Whether somebody looks at another tab of this browser: it says so when it is asked. */
export class Onlookers {
  private readonly tabs: Tabs<'who looks?' | 'I am looked at'>
  private readonly asked = new Set<(looked: boolean) => void>()

  /** @param isLookedAt whether this tab is */
  constructor(isLookedAt: () => boolean) {
    this.tabs = new Tabs('gochat-onlookers', (told) => {
      if (told === 'I am looked at') this.answer(true)
      else if (isLookedAt()) this.tabs.tell('I am looked at')
    })
  }

  /** Whether another tab is looked at. */
  elsewhere(): Promise<boolean> {
    return new Promise((resolve) => {
      this.asked.add(resolve)
      this.tabs.tell('who looks?')
      setTimeout(() => {
        this.asked.delete(resolve)
        resolve(false)
      }, WITHIN_MS)
    })
  }

  close(): void {
    this.answer(true)
    this.tabs.close()
  }

  private answer(looked: boolean): void {
    for (const resolve of this.asked) resolve(looked)
    this.asked.clear()
  }
}
