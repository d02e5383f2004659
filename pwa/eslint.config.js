/** Strict types, Vue's rules, no literal text in templates, and the layers. */
import vueI18n from '@intlify/eslint-plugin-vue-i18n'
import vue from 'eslint-plugin-vue'
import { defineConfig } from 'eslint/config'
import ts from 'typescript'
import tseslint from 'typescript-eslint'

// A `.vue` file is checked by its script alone, which is not what stands on the disk: the types of everything would be computed anew for
// each. With its script read from the disk too, they are computed once.
const read = ts.sys.readFile.bind(ts.sys)
ts.sys.readFile = (path, encoding) => {
  const text = read(path, encoding)
  return path.endsWith('.vue') ? (/<script\b[^>]*>(.*?)<\/script>/su.exec(text ?? '')?.[1] ?? text) : text
}

/** From left to right: each folder imports only what stands left of it. */
const LAYERS = ['domain', 'api', 'storage', 'replication', 'stores', 'ui', 'features', 'app']
/** Screens stand by feature, and of features too each imports only those left of it. */
const FEATURES = [
  'answers',
  'areas',
  'desk',
  'capture',
  'forms',
  'account',
  'records',
  'conflicts',
  'review',
  'duplicates',
  'quarantine',
  'people',
  'peers',
]

const FRAMEWORKS = {
  group: ['vue', 'pinia', 'dexie'],
  message: 'domain is plain TypeScript without framework or I/O',
}

const above = (rank, name) => rank.slice(rank.indexOf(name) + 1)

/** What files of a folder may not import: every layer, and every feature, to the right of it. */
function restricted(files, layers, features = []) {
  const pattern = (other, path) => ({
    group: [`@/${path}/*`, `**/${path}/*`],
    message: `${other} stands to the right: ${LAYERS.join(' ← ')}; of features ${FEATURES.join(' ← ')}`,
  })
  const patterns = [
    ...layers.map((other) => pattern(other, other)),
    ...features.flatMap((other) => [pattern(other, `features/${other}`), pattern(other, `../${other}`)]),
    ...(files === 'domain' ? [FRAMEWORKS] : []),
  ]
  const paths = [...layers, ...features.map((other) => `features/${other}`)]
  const places = [...paths, ...features].join('|').replaceAll('/', '\\/')
  // The rule above sees no `import()`.
  const dynamic = {
    selector: `ImportExpression[source.value=/^(?:@|\\.\\.)(?:\\/\\.\\.)*\\/(?:${places})\\//]`,
    message: `what is loaded later stands to the left too: ${LAYERS.join(' ← ')}; of features ${FEATURES.join(' ← ')}`,
  }
  return {
    files: [`src/${files}/**/*.{ts,vue}`],
    rules: {
      'no-restricted-imports': ['error', { patterns }],
      ...(paths.length === 0 ? {} : { 'no-restricted-syntax': ['error', dynamic] }),
    },
  }
}

export default defineConfig(
  {
    ignores: [
      'dist/**',
      'dev-dist/**',
      'public/**',
      'node_modules/**',
      'coverage/**',
      '**/*.json',
      'src/api/schema.d.ts',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  ...vue.configs['flat/recommended'],
  ...vueI18n.configs['flat/recommended'],
  {
    languageOptions: {
      parserOptions: {
        parser: tseslint.parser,
        project: './tsconfig.json',
        extraFileExtensions: ['.vue'],
      },
    },
    settings: {
      'vue-i18n': {
        localeDir: {
          pattern: './src/locales/{vi,en}/*.json',
          localeKey: 'path',
          localePattern: /^.*\/(?<locale>vi|en)\/.*\.json$/,
        },
        messageSyntaxVersion: '^11.0.0',
      },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      // vue-i18n's composer and pinia's stores hand out functions that need no `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@intlify/vue-i18n/no-raw-text': ['error', { ignorePattern: '^[-–·:()/%#.,“”\\s\\d]*$' }],
      '@intlify/vue-i18n/no-dynamic-keys': 'off',
      '@intlify/vue-i18n/no-v-html': 'error',
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/html-self-closing': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
    },
  },
  ...LAYERS.slice(0, -1).map((name) => restricted(name, above(LAYERS, name))),
  ...FEATURES.map((name) => restricted(`features/${name}`, above(LAYERS, 'features'), above(FEATURES, name))),
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { project: false } },
  },
  { files: ['**/*.test.ts', 'tests/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
)
