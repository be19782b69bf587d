import { ESLint } from 'eslint'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The first test loads the whole linter, which takes long on a machine that is busy. */
const PATIENCE_MS = 60_000
const RULE = 'import-x/no-restricted-paths'

/** Whether the lint rule objects to this import in that (planted) file. */
async function objects(file: string, imported: string): Promise<boolean> {
  const eslint = new ESLint({
    cwd: root,
    ruleFilter: ({ ruleId }) => ruleId === RULE,
    overrideConfig: { languageOptions: { parserOptions: { project: null, programs: null } } },
  })
  const results = await eslint.lintText(`import '${imported}'\n`, { filePath: `${root}src/${file}` })
  return results.some(({ messages }) => messages.some(({ ruleId }) => ruleId === RULE))
}

test.each([
  ['net/planted.ts', '../model/store'],
  ['model/planted.ts', '../features/timeline/rows'],
  ['model/planted.ts', '../ui/Button'],
  ['ui/planted.ts', '../model/store'],
  ['features/auth/planted.ts', '../../net/frames'],
  ['features/auth/planted.ts', '../timeline/rows'],
  ['features/auth/planted.ts', '../../app/App'],
])('%s may not import %s', async (file, imported) => {
  await expect(objects(file, imported)).resolves.toBe(true)
}, PATIENCE_MS)

test.each([
  ['app/planted.ts', '../features/timeline/rows'],
  ['features/auth/planted.ts', '../../model/store'],
  ['features/auth/planted.ts', '../../ui/Button'],
  ['features/auth/planted.ts', './AuthForms'],
  ['model/planted.ts', '../net/frames'],
])('%s may import %s', async (file, imported) => {
  await expect(objects(file, imported)).resolves.toBe(false)
}, PATIENCE_MS)
