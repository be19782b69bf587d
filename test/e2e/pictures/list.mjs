// The page of the documentation that lists the screens.

const THEMES = ['light', 'dark']

export function listOf(scenes, devices) {
  const pictureOf = ({ name }, width, theme) => `images/${name}-${width}-${theme}.webp`
  const row = (scene) => {
    const shown = `[<img src="${pictureOf(scene, 1440, 'light')}" alt="${scene.what}" width="360">](${pictureOf(scene, 1440, 'light')})`
    const small = `[<img src="${pictureOf(scene, 390, 'dark')}" alt="${scene.what}, on a phone, dark" width="110">](${pictureOf(scene, 390, 'dark')})`
    const all = devices.map(({ width }) => `${width}: ${THEMES.map((theme) => `[${theme}](${pictureOf(scene, width, theme)})`).join(', ')}`)
    return `| ${scene.what} | ${shown} | ${small} | ${all.join('<br>')} |`
  }
  return `# Screens

Every screen and panel of the web app at 1440, 820 and 390 px, in light and in dark. \`make screenshots\` takes the
pictures, in a real browser against the real server, and writes this page. Names, times and the clock are fixed, so that
a picture that differs shows a change.

| screen | wide, light | phone, dark | all |
|---|---|---|---|
${scenes.map(row).join('\n')}
`
}
