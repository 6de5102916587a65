import type { Environment, ScriptNode } from './environment.ts'
import { ScriptError, wholeNumber } from './script.ts'
import type { Argument, Directive } from './script.ts'
import { Output } from './output.ts'

/** Far more than any script needs; a group that never comes to rest is a fault to be shown, not waited for. */
const roundsMax = 10_000

/** Lets the named nodes, or all, do their work in turns until none has any left. */
export function stabilize (env: Environment, { args }: Directive): void {
  const ids = args.filter(({ values }) => values.length === 0).map(({ key }) => wholeNumber(key))
  const nodes = ids.length === 0 ? env.nodes : ids.map(id => env.node(id))
  const run = (): void => { untilQuiet(env, nodes) }
  const level = levelIn(args)
  if (level === undefined) return run()
  if (!env.output.atLevel(level, run)) throw new ScriptError(`log levels must be either of ${Output.levelNames}`)
}

function levelIn (args: readonly Argument[]): string | undefined {
  return args.find(({ key }) => key === 'log-level')?.values[0]
}

function untilQuiet (env: Environment, nodes: readonly ScriptNode[]): void {
  for (let round = 0; round < roundsMax; round++) {
    const worked = [
      eachWith(env, nodes, 'handling Ready', ({ core }) => core.hasReady(), node => { env.processReady(node) }),
      eachWith(env, nodes, 'receiving messages', ({ id }) => env.has(id), ({ id }) => { env.deliver([{ id, drop: false }], undefined) }),
      eachWith(env, nodes, 'processing append thread', ({ appendWork }) => appendWork.length > 0, node => {
        while (node.appendWork.length > 0) env.processAppendWork(node)
      }),
      eachWith(env, nodes, 'processing apply thread', ({ applyWork }) => applyWork.length > 0, node => {
        while (node.applyWork.length > 0) env.processApplyWork(node)
      })
    ]
    if (!worked.includes(true)) return
  }
  throw new ScriptError(`still not quiet after ${roundsMax} rounds`)
}

function eachWith (
  env: Environment, nodes: readonly ScriptNode[], title: string, has: (node: ScriptNode) => boolean, work: (node: ScriptNode) => void
): boolean {
  let worked = false
  for (const node of nodes) {
    if (!has(node)) continue
    env.output.write(`> ${node.id} ${title}\n`)
    env.output.indented(() => { work(node) })
    worked = true
  }
  return worked
}
