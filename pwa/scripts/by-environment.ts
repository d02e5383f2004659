/**
 * The order in which files of tests run: those of one environment after each other, and in another order for each seed
 * that is named (`npx vitest run --sequence.seed 7`), to see that none needs what another left behind.
 *
 * A worker goes on with the next file only where that needs the same environment; for another one it is ended.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const ENVIRONMENT = /^\/\/ @vitest-environment (\S+)$/mu

export class ByEnvironment extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seed = this.ctx.config.sequence.seed as number | undefined
    const sorted = seed === undefined ? await super.sort(files) : shuffled(files, seed)
    const groups = new Map<string, TestSpecification[]>()
    for (const file of sorted) {
      const [, name = ''] = ENVIRONMENT.exec(readFileSync(file.moduleId, 'utf8')) ?? []
      groups.set(name, [...(groups.get(name) ?? []), file])
    }
    return [...groups.values()].flat()
  }
}

function shuffled(files: readonly TestSpecification[], seed: number): TestSpecification[] {
  const key = ({ moduleId }: TestSpecification): string =>
    createHash('sha256')
      .update(`${String(seed)} ${moduleId}`)
      .digest('hex')
  return files
    .map((file) => [key(file), file] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, file]) => file)
}
