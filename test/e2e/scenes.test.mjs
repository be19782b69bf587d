// Every screen and panel that docs/screens.md shows is clean by axe-core: in light and in dark, and in both with high contrast.
import { after, before, describe, test } from 'node:test'
import { accessible } from './axe.mjs'
import { SCENES } from './pictures/scenes.mjs'
import { DEVICES, openStudio } from './pictures/studio.mjs'

for (const device of DEVICES.filter(({ width }) => width !== 820)) {
  describe(`every screen, ${device.width} px wide`, { concurrency: 1 }, () => {
    let studio

    before(async () => {
      studio = await openStudio(device)
    })

    after(() => studio?.close())

    for (const scene of SCENES) {
      test(scene.what, async () => {
        const its = await studio.play(scene)
        await scene.each?.(its)
        await accessible(its.page, scene.name)
        await scene.after?.(its)
      })
    }
  })
}
