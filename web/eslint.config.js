import js from '@eslint/js'
import importX from 'eslint-plugin-import-x'
import reactHooks from 'eslint-plugin-react-hooks'
import globals from 'globals'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'

const root = fileURLToPath(new URL('.', import.meta.url))
const features = readdirSync(new URL('./src/features', import.meta.url))

// app -> features -> model -> net, features -> ui; no feature imports another.
const arrows = [
  { target: './src/net', from: ['./src/model', './src/features', './src/ui', './src/app'] },
  { target: './src/model', from: ['./src/features', './src/ui', './src/app'] },
  { target: './src/ui', from: ['./src/net', './src/model', './src/features', './src/app'] },
  { target: './src/features', from: ['./src/net', './src/app'] },
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: './src/features',
    except: [`./${name}`],
  })),
].map((zone) => ({ ...zone, message: 'This import is against the arrows of the web app (see ARCHITECTURE.md).' }))

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/net/api.gen.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { project: ['./tsconfig.node.json'], tsconfigRootDir: root },
    },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_' }],
      'max-lines': ['error', 400],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver': { node: { extensions: ['.ts', '.tsx', '.js'] } },
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: root, zones: arrows }],
    },
  },
  { files: ['*.config.{js,ts}'], languageOptions: { globals: globals.node } },
)
