/** Tells at the end of a run which tests took longest. */
import type { Reporter, TestModule } from 'vitest/node'

const SHOWN = 10

export class Slowest implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const took = tests.map((test) => ({
      ms: test.diagnostic()?.duration ?? 0,
      name: `${test.module.relativeModuleId} > ${test.fullName}`,
    }))
    const slowest = took.sort((one, other) => other.ms - one.ms).slice(0, SHOWN)
    console.log(
      [
        '',
        `The ${String(SHOWN)} slowest:`,
        ...slowest.map(({ ms, name }) => `${(ms / 1000).toFixed(2)} s  ${name}`),
      ].join('\n'),
    )
  }
}
