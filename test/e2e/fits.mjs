// What is cut off, covered, or out of the window, in a page as it is.

/** Each such thing, in words; nothing where everything is in its place. */
export const misfits = (page) =>
  page.evaluate(() => {
    const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.closest('[inert], .visuallyHidden, [data-base-ui-focus-guard]') === null
    const named = (element) => `${element.tagName.toLowerCase()} “${(element.getAttribute('aria-label') ?? element.textContent).trim().replaceAll(/\s+/g, ' ').slice(0, 40)}”`
    const said = []
    const page = document.documentElement
    if (page.scrollWidth > page.clientWidth) said.push(`the page is ${page.scrollWidth - page.clientWidth} px wider than the window`)
    // What a dialog is over is out of reach.
    const above = [...document.querySelectorAll('[role="dialog"], [role="menu"]')].at(-1)
    const within = above ?? document.body
    const all = [...within.querySelectorAll('*')].filter((element) => shown(element) && element.closest('svg') === (element.tagName === 'svg' ? element : null))
    /** What of an element is seen: the rest of it is cut off by what it stands in, which is spoken of there. */
    const seen = (element) => {
      let { left, right, top, bottom } = element.getBoundingClientRect()
      for (let around = element.parentElement; around !== null; around = around.parentElement) {
        if (getComputedStyle(around).overflowX === 'visible') continue
        const edge = around.getBoundingClientRect()
        ;[left, right, top, bottom] = [Math.max(left, edge.left), Math.min(right, edge.right), Math.max(top, edge.top), Math.min(bottom, edge.bottom)]
      }
      return { left, right, top, bottom, isNothing: right <= left || bottom <= top }
    }
    for (const element of all) {
      const box = seen(element)
      if (box.isNothing) continue
      if (box.right > innerWidth + 1 || box.left < -1) said.push(`${named(element)} is out of the window, from ${Math.round(box.left)} to ${Math.round(box.right)}`)
      const style = getComputedStyle(element)
      const cut = element.scrollWidth > element.clientWidth + 1 && style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis'
      if (cut && element.tagName !== 'INPUT' && element.clientWidth > 1) said.push(`${named(element)} is cut off: ${element.clientWidth} of ${element.scrollWidth} px`)
      if (element.matches('button, a, label') && element.scrollWidth > element.clientWidth + 1 && style.display !== 'inline') said.push(`${named(element)} runs over: ${element.clientWidth} of ${element.scrollWidth} px`)
    }
    /** What a field shows stands between its paddings; a button may be in one. */
    const written = (element) => {
      const { paddingLeft, paddingRight } = getComputedStyle(element)
      const box = seen(element)
      return element.tagName === 'INPUT' ? { ...box, left: box.left + parseFloat(paddingLeft), right: box.right - parseFloat(paddingRight) } : box
    }
    const pressed = all.filter((element) => element.matches('button, input:not([type="radio"]), textarea, select'))
    for (const [at, one] of pressed.entries()) {
      for (const other of pressed.slice(at + 1)) {
        if (one.contains(other) || other.contains(one)) continue
        const [a, b] = [written(one), written(other)]
        const [wide, high] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)]
        if (wide > 1 && high > 1) said.push(`${named(one)} lies over ${named(other)}`)
      }
    }
    return said
  })
