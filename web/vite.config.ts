import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// The server embeds dist and serves it under a strict CSP, so nothing may be inlined as a data: URL.
export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', assetsInlineLimit: 0, sourcemap: false },
  server: {
    proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } },
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    environment: 'node',
    restoreMocks: true,
  },
})
