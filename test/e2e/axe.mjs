// axe-core on a page as it is: what it finds is said with the element and the reason.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function violations(page) {
  await page.evaluate(source)
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ['violations'] })
    // A menu comes and goes as a dialog does, and stands beside the landmarks as a dialog does; axe knows that of dialogs only.
    const isMenu = ({ target }) => document.querySelector(target[0])?.closest('[role="menu"]') != null
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.filter((node) => id !== 'region' || !isMenu(node)).map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`),
    )
  })
}

/** Until what fades has faded, and what goes is gone: a colour on its way is nobody's choice. */
const atRest = (page) =>
  page.evaluate(async () => {
    const frame = () => new Promise((next) => requestAnimationFrame(next))
    await frame()
    const ending = () => document.getAnimations().filter(({ playState, effect }) =>
      playState === 'running' && effect.getComputedTiming().endTime !== Infinity)
    for (let all = ending(); all.length > 0; all = ending()) {
      await Promise.allSettled(all.map(({ finished }) => finished))
      await frame()
    }
    await frame()
  })

/** No violation, in light and in dark, and in both with high contrast. */
export async function accessible(page, screen) {
  for (const contrast of ['no-preference', 'more']) {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, contrast, reducedMotion: 'reduce' })
      await atRest(page)
      assert.deepEqual(await violations(page), [], `${screen}, ${colorScheme}, contrast: ${contrast}`)
    }
  }
  await page.emulateMedia({ contrast: null, colorScheme: null, reducedMotion: null })
}
