import { setImmediate as turn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import type { ReadOptions } from '../dag/block-service.ts'
import { parsePath } from '../dag/cid-text.ts'
import { resolveArgument } from '../dag/resolve.ts'
import { walk } from '../dag/walk.ts'
import { readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { checkPinName } from '../pinning.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'

const types = ['direct', 'indirect', 'recursive', 'all'] as const
type PinType = typeof types[number]

interface Listed { readonly cid: string, readonly type: string, readonly name: string }

/** Pins that are listed together: a promise for each would cost more than the pin. */
const pagePins = 256

const listOptions = {
  type: { type: 'string', aliases: ['t'], fallback: 'all' },
  quiet: { type: 'bool', aliases: ['q'] },
  name: { type: 'string', aliases: ['n'] },
  stream: { type: 'bool', aliases: ['s'], fallback: false },
  names: { type: 'bool', fallback: false }
} as const

export function pinListCommands (node: EmbeddedNode): readonly Command[] {
  return [pinLs(node), pinVerify(node)]
}

function pinLs (node: EmbeddedNode): Command {
  return command({
    path: 'pin/ls',
    args: [{ name: 'ipfs-path', kind: 'string', required: false, variadic: true, stdin: false }],
    options: listOptions,
    async run (call) {
      const { options: { type, quiet, stream, name, names } } = call
      if (!isPinType(type)) throw new KuboError(`invalid type '${type}', must be one of {direct, indirect, recursive, all}`)
      checkPinName(name ?? '')
      call.args.forEach(parsePath) // all of them, before the first is looked at
      const filter = name === '' ? undefined : name
      const isNamed = names || filter !== undefined
      const listed = call.args.length > 0 ? listAsked(node, call, type, isNamed) : listAll(node, call, type, filter, isNamed)
      const text = ({ cid, type, name }: Listed): string => quiet === true ? `${cid}\n` : `${cid} ${type}${name === '' ? '' : ` ${name}`}\n`
      if (stream) return { kind: 'many', values: lines(listed, text) }

      const all = (await Array.fromAsync(listed)).flat()
      const keys = keysOf(all)
      const printed = (): string => `{{map[${Object.entries(keys).map(([cid, { Type, Name }]) => `${cid}:{${Type} ${Name}}`).join(' ')}]} {  }}`
      return { kind: 'one', value: { ...line(all.length === 0 ? {} : { Keys: keys }, () => all.map(text).join('')), printed, xml: { refusal: 'unsupported type: map[string]pin.PinLsType' } } }
    }
  })
}

/** Sorted as Go sorts the keys of a map. CIDs are ASCII in any base, so JavaScript's order is the same as that of bytes. */
function keysOf (all: readonly Listed[]): Readonly<Record<string, { readonly Type: string, readonly Name: string }>> {
  const sorted = all.toSorted((a, b) => a.cid < b.cid ? -1 : a.cid > b.cid ? 1 : 0)
  return Object.fromEntries(sorted.map(({ cid, type, name }) => [cid, { Type: type, Name: name }]))
}

function isPinType (text: string): text is PinType {
  return types.includes(text as PinType)
}

async function * lines (listed: AsyncIterable<readonly Listed[]>, text: (one: Listed) => string): AsyncGenerator<Emitted> {
  for await (const page of listed) {
    for (const one of page) yield line({ Cid: one.cid, Name: one.name === '' ? undefined : one.name, Type: one.type }, () => text(one))
  }
}

async function * listAll ({ pinning }: EmbeddedNode, call: Call, type: PinType, filter: string | undefined, isNamed: boolean): AsyncGenerator<readonly Listed[]> {
  let page: Listed[] = []
  for (const mode of ['recursive', 'direct'] as const) {
    if (type !== 'all' && type !== mode) continue
    for (const { cid, name } of pinning.pins(mode)) {
      if (filter !== undefined && !name.includes(filter)) continue
      page.push({ cid: call.showCid(cid), type: mode, name: isNamed ? name : '' })
      if (page.length < pagePins) continue
      yield page
      page = []
      await turn(undefined, call)
    }
  }
  yield page
  if (filter !== undefined || (type !== 'all' && type !== 'indirect')) return // what is held indirectly has no name to be found by
  for await (const cid of pinning.indirect(readOptions(call))) yield [{ cid: call.showCid(cid), type: 'indirect', name: '' }]
}

async function * listAsked ({ blocks, pinning }: EmbeddedNode, call: Call, type: PinType, isNamed: boolean): AsyncGenerator<readonly Listed[]> {
  const options = readOptions(call)
  for (const argument of call.args) {
    const { cid } = await resolveArgument(argument, blocks, options)
    const own = type === 'indirect' ? undefined : pinning.get(cid)
    if (own !== undefined && (type === 'all' || type === own.mode)) {
      yield [{ cid: call.showCid(cid), type: own.mode, name: isNamed ? own.name : '' }]
      continue
    }
    const through = type === 'all' || type === 'indirect' ? await pinning.holderOf(cid, options) : undefined
    if (through === undefined) throw new KuboError(`path '${argument}' is not pinned`)
    yield [{ cid: call.showCid(cid), type: `indirect through ${call.showCid(through)}`, name: '' }]
  }
}

function pinVerify (node: EmbeddedNode): Command {
  return command({
    path: 'pin/verify',
    args: [],
    options: { verbose: { type: 'bool' }, quiet: { type: 'bool', aliases: ['q'] } },
    run (call) {
      const { options: { verbose = false, quiet = false } } = call
      if (verbose && quiet) throw new KuboError('the --verbose and --quiet options can not be used at the same time')
      return { kind: 'many', values: verify(node, call, verbose, quiet) }
    }
  })
}

async function * verify ({ blocks, pinning }: EmbeddedNode, call: Call, verbose: boolean, quiet: boolean): AsyncGenerator<Emitted> {
  const options = { ...readOptions(call), offline: true }
  for (const { cid } of pinning.pins('recursive')) {
    const bad = await badNodes(cid, blocks, options)
    const shown = call.showCid(cid)
    if (bad.length === 0) {
      if (verbose) yield line({ Cid: shown, Ok: true }, `${shown} ok\n`)
      continue
    }
    const nodes = bad.map(({ cid, err }) => ({ Cid: call.showCid(cid), Err: err }))
    const details = verbose ? nodes.map(({ Cid, Err }) => `  ${Cid}: ${Err}\n`).join('') : ''
    yield line({ Cid: shown, BadNodes: nodes }, quiet ? `${shown}\n` : `${shown} broken\n${details}`)
  }
}

async function badNodes (root: CID, blocks: EmbeddedNode['blocks'], options: ReadOptions): Promise<{ cid: CID, err: string }[]> {
  const bad: { cid: CID, err: string }[] = []
  const onFailure = (cid: CID, err: unknown): void => { bad.push({ cid, err: messageOf(err) }) }
  for await (const _ of walk([root], blocks, { ...options, onFailure })) { /* only to look at it */ }
  return bad
}
