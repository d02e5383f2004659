/**
 * Files of tests share a worker, its globals and the app's modules: what one of them puts into the platform's own objects,
 * because jsdom lacks it, is taken out before the next. (Stubs, spies and the clock are for vitest to put back.)
 */
type Properties = ReadonlyMap<object, Readonly<Record<string, PropertyDescriptor>>>

const ELEMENT = /^(?:HTML\w*)?Element$/u

/** What the platform's objects have now. */
export function properties(): Properties {
  const elements = Object.getOwnPropertyNames(globalThis).filter((name) => ELEMENT.test(name))
  const prototypes = elements.map((name) => (Reflect.get(globalThis, name) as { prototype: object }).prototype)
  return new Map([navigator, URL, ...prototypes].map((object) => [object, Object.getOwnPropertyDescriptors(object)]))
}

/** Give the platform's objects what they had, and nothing else. */
export function putBack(before: Properties): void {
  for (const [object, had] of before) {
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      const first = had[name]
      if (first === undefined) Reflect.deleteProperty(object, name)
      else if (value !== first.value || get !== first.get) Object.defineProperty(object, name, first)
    }
  }
}
