/// <reference types="vite/client" />

declare const __APP_VERSION__: string

/** For tools that read no single-file components; vue-tsc takes each component's own types. */
declare module '*.vue' {
  import type { Component } from 'vue'
  const component: Component
  export default component
}
