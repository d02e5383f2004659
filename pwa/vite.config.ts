/**
 * How the app is built: Vue, one service worker of our own (src/service-worker/) that keeps every file for work without
 * a network, and a manifest for installing. Nothing is inlined, so that the server's strict Content-Security-Policy holds.
 */
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { VitePWA } from 'vite-plugin-pwa'
import project from './package.json' with { type: 'json' }
import { ByEnvironment } from './scripts/by-environment.ts'
import { mendedEngine } from './scripts/engine-patch.ts'
import { AppFiles, LOADED_TOGETHER, paintedAtOnce } from './scripts/loading.ts'
import { compiledMessages } from './scripts/messages.ts'
import { Slowest } from './scripts/slowest.ts'

const server = process.env['NUONG_URL'] ?? 'http://127.0.0.1:8000'

const appFiles = new AppFiles(fileURLToPath(new URL('./dist', import.meta.url)))

export default defineConfig({
  plugins: [
    vue({ features: { optionsAPI: false } }),
    compiledMessages(),
    paintedAtOnce(),
    appFiles.plugin,
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/service-worker',
      filename: 'worker.ts',
      injectRegister: false,
      // 46 KB that only the browser asks for, when the app is put on the phone's first page.
      includeManifestIcons: false,
      registerType: 'prompt',
      injectManifest: {
        rollupFormat: 'iife',
        // The manifest is added by the plugin itself; twice would be an error at start-up.
        globPatterns: ['**/*.{js,css,html,svg,woff2,wasm}'],
        maximumFileSizeToCacheInBytes: 8_000_000,
        manifestTransforms: [appFiles.weigh],
      },
      manifest: {
        id: '/',
        name: 'Nương – phiếu khảo sát',
        short_name: 'Nương',
        description: 'Ghi phiếu khảo sát ở thôn bản, không cần sóng.',
        lang: 'vi',
        dir: 'ltr',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        orientation: 'portrait',
        background_color: '#f7f3ea',
        theme_color: '#1d4a37',
        categories: ['productivity', 'government'],
        icons: [
          { src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icons/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
  define: {
    __APP_VERSION__: JSON.stringify(project.version),
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  resolve: {
    alias: {
      '@getodk/xforms-engine': mendedEngine(),
      '@': fileURLToPath(new URL('./src', import.meta.url)),
    },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 1500,
    // The forms engine's WebAssembly loader has an `eval` for dynamic linking, which it never reaches (nor may: the policy).
    rolldownOptions: {
      checks: { eval: false, pluginTimings: false },
      output: { codeSplitting: { groups: LOADED_TOGETHER } },
    },
  },
  server: { proxy: { '/api': server, '/.well-known': server } },
  test: {
    environment: 'node',
    setupFiles: ['tests/setup.ts'],
    // One worker loads the app, Vue, the form engine and jsdom once, not for each file; tests/setup.ts tidies up between them.
    isolate: false,
    sequence: { sequencer: ByEnvironment },
    // The phones' time; the form engine reads it when it is loaded.
    env: { TZ: 'Asia/Ho_Chi_Minh' },
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    tags: [{ name: 'slow', description: 'A test that a person would not wait for while coding.' }],
    // Vitest would leave one core idle, which is half of a small machine; and one that is busy with other things needs long.
    maxWorkers: '100%',
    reporters: ['default', new Slowest()],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
