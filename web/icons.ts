import { Resvg, initWasm } from '@resvg/resvg-wasm'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Plugin } from 'vite'

/** Whose width and height in pixels are given: a home screen of Apple's takes no SVG, and many launchers take none either. */
const ICONS = [
  { file: 'apple-touch-icon.png', from: 'icon-maskable.svg', size: 180 },
  { file: 'icon-192.png', from: 'favicon.svg', size: 192 },
  { file: 'icon-512.png', from: 'favicon.svg', size: 512 },
  { file: 'icon-maskable-192.png', from: 'icon-maskable.svg', size: 192 },
  { file: 'icon-maskable-512.png', from: 'icon-maskable.svg', size: 512 },
] as const

/** Draws the icons as PNG from the SVGs in public, at each build: what is generated is not kept. */
export function icons(): Plugin {
  return {
    name: 'icons',
    apply: 'build',
    async generateBundle() {
      await initWasm(readFileSync(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')))
      for (const { file, from, size } of ICONS) {
        const drawn = new Resvg(readFileSync(`public/${from}`, 'utf8'), { fitTo: { mode: 'width', value: size } }).render()
        this.emitFile({ type: 'asset', fileName: file, source: drawn.asPng() })
      }
    },
  }
}
