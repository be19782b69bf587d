// axe-core on a page as it is: what it finds is said with the element and the reason.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const ALL = {}
/** Those that look at colours; the stricter of two kinds of contrast is none of those that axe tries by itself. */
const OF_COLOURS = { runOnly: { type: 'tag', values: ['cat.color'] }, rules: { 'color-contrast-enhanced': { enabled: false } } }

/** What axe finds by all of its rules, or by some. */
async function violations(page, rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source)
  return page.evaluate(async (only) => {
    const found = await window.axe.run(document, { resultTypes: ['violations'], ...only })
    // A menu comes and goes as a dialog does, and stands beside the landmarks as a dialog does; axe knows that of dialogs only.
    const isMenu = ({ target }) => document.querySelector(target[0])?.closest('[role="menu"]') != null
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.filter((node) => id !== 'region' || !isMenu(node)).map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`),
    )
  }, rules)
}

/** Until what fades has faded, and what goes is gone: a colour on its way is nobody's choice. */
export const atRest = (page) =>
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

/** All that is not a colour: what is in the page, whether it is shown, and where. */
const shapeOf = (page) =>
  page.evaluate(() => {
    const shape = [...document.querySelectorAll('body, body *')].map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect()
      const { display, visibility } = getComputedStyle(element)
      return `${display} ${visibility} ${x} ${y} ${width} ${height}`
    })
    const { lang, dir } = document.documentElement
    return [document.title, lang, dir, document.body.outerHTML, ...shape].join('\n')
  })

/**
 * No violation, in light and in dark, and in both with high contrast. Where these differ in nothing but colours, the rules
 * that do not look at colours are tried in one of them.
 */
export async function accessible(page, screen) {
  let known
  for (const contrast of ['no-preference', 'more']) {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, contrast, reducedMotion: 'reduce' })
      await atRest(page)
      const shape = await shapeOf(page)
      const rules = shape === known ? OF_COLOURS : ALL
      known = shape
      assert.deepEqual(await violations(page, rules), [], `${screen}, ${colorScheme}, contrast: ${contrast}`)
    }
  }
  await page.emulateMedia({ contrast: null, colorScheme: null, reducedMotion: null })
}
