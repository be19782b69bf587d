import react from '@vitejs/plugin-react'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { icons } from './icons.ts'

const WORKER = 'sw'

/** Tells the service worker which files make up this version, once they are known. */
function shell(): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle[`${WORKER}.js`]
      if (worker?.type !== 'chunk') throw new Error('there is no service worker to build')
      const own = readdirSync('public').filter((name) => !name.startsWith('.'))
      const built = Object.keys(bundle).filter((name) => name !== worker.fileName)
      const digest = createHash('sha256').update(worker.code).update(built.sort().join())
      for (const name of own) digest.update(readFileSync(`public/${name}`))
      const files = [...new Set(['index.html', ...built, ...own])].map((name) => `/${name}`)
      worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify({ version: digest.digest('hex').slice(0, 12), files }))
    },
  }
}

// The server embeds dist and serves it under a strict CSP, so nothing may be inlined as a data: URL.
export default defineConfig({
  plugins: [react(), icons(), shell()],
  resolve: {
    alias: {
      'decode-named-character-reference': fileURLToPath(new URL('src/features/timeline/namedReferences.ts', import.meta.url)),
    },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    sourcemap: false,
    rolldownOptions: {
      input: { index: 'index.html', [WORKER]: 'src/sw/sw.ts' },
      output: { entryFileNames: ({ name }) => (name === WORKER ? '[name].js' : 'assets/[name]-[hash].js') },
    },
  },
  server: {
    proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } },
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    environment: 'node',
    restoreMocks: true,
    server: { deps: { inline: [/micromark/, /mdast/] } }, // as they are built: with the alias above
  },
})
