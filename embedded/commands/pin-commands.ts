import type { CID } from 'multiformats/cid'
import type { ArgumentSpec } from '../../cluster/api/kubo/request.ts'
import { resolveArgument } from '../dag/resolve.ts'
import { onlineOptions, readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { checkPinName } from '../pinning.ts'
import type { Progress } from '../pinning.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'

const tickMs = 500
const pathArgument: ArgumentSpec = { name: 'ipfs-path', kind: 'string', required: true, variadic: true, stdin: true }
const fastProvide = { 'fast-provide-root': { type: 'bool' }, 'fast-provide-dag': { type: 'bool' }, 'fast-provide-wait': { type: 'bool' } } as const

export function pinCommands (node: EmbeddedNode): readonly Command[] {
  return [pinAdd(node), pinRm(node), pinUpdate(node)]
}

function pinAdd (node: EmbeddedNode): Command {
  return command({
    path: 'pin/add',
    args: [pathArgument],
    options: { recursive: { type: 'bool', aliases: ['r'], fallback: true }, name: { type: 'string', aliases: ['n'], fallback: '' }, progress: { type: 'bool' }, ...fastProvide },
    async run (call) {
      const { options: { recursive, name, progress }, showCid } = call
      checkPinName(name)
      const counted: Progress = { nodes: 0, bytes: 0 }
      const pinned = (cids: readonly CID[]): Emitted => {
        const shown = cids.map(showCid)
        const xml = { name: 'AddPinOutput', fields: [...shown.map(cid => ['Pins', cid] as const), ['Progress', 0], ['Bytes', 0]] } as const
        return { ...line({ Pins: shown }, shown.map(cid => `pinned ${cid} ${recursive ? 'recursively' : 'directly'}\n`).join('')), xml }
      }
      if (progress !== true) return { kind: 'one', value: pinned(await addAll(node, call, recursive, name, counted)) }
      return { kind: 'many', values: withTicks(node, call.signal, addAll(node, call, recursive, name, counted), counted, pinned) }
    }
  })
}

async function addAll ({ blocks, pinning, lock }: EmbeddedNode, call: Pick<Call, 'args' | 'signal' | 'options'>, recursive: boolean, name: string, counted: Progress): Promise<readonly CID[]> {
  using _lock = await lock.forPinning(call)
  const added: CID[] = []
  for (const argument of call.args) {
    const { cid } = await resolveArgument(argument, blocks, readOptions(call))
    try {
      await blocks.get(cid, readOptions(call))
      await pinning.add(cid, recursive ? 'recursive' : 'direct', name, onlineOptions(call), counted)
    } catch (err) {
      throw new KuboError(`pin: ${messageOf(err)}`, { cause: err })
    }
    added.push(cid)
  }
  return added
}

/** How far it has come, twice a second; after the first tick an error loses the `pin: ` before it, as in Kubo. */
async function * withTicks ({ clock }: EmbeddedNode, signal: AbortSignal, adding: Promise<readonly CID[]>, counted: Progress, pinned: (cids: readonly CID[]) => Emitted): AsyncGenerator<Emitted> {
  let isFirst = true
  const outcome = adding.then(cids => ({ cids }), (err: unknown) => ({ err }))
  while (true) {
    const tick = Promise.withResolvers<undefined>()
    using _timer = clock.after(tickMs, () => { tick.resolve(undefined) })
    const ended = await Promise.race([outcome, tick.promise])
    if (ended === undefined) {
      isFirst = false
      yield progressLine(counted)
    } else if ('cids' in ended) {
      if (counted.nodes > 0) yield progressLine(counted)
      yield pinned(ended.cids)
      return
    } else if (isFirst || !signal.aborted) {
      throw ended.err
    } else {
      throw signal.reason
    }
  }
}

function progressLine ({ nodes, bytes }: Progress): Emitted {
  return line({ Progress: nodes === 0 ? undefined : nodes, Bytes: bytes === 0 ? undefined : bytes })
}

function pinRm ({ blocks, pinning, lock }: EmbeddedNode): Command {
  return command({
    path: 'pin/rm',
    args: [pathArgument],
    options: { recursive: { type: 'bool', aliases: ['r'], fallback: true } },
    async run (call) {
      const removed: string[] = []
      using _lock = await lock.forPinning(call)
      for (const argument of call.args) {
        const { cid } = await resolveArgument(argument, blocks, onlineOptions(call))
        await pinning.remove(cid, call.options.recursive)
        removed.push(call.showCid(cid))
      }
      return { kind: 'one', value: line({ Pins: removed }, removed.map(cid => `unpinned ${cid}\n`).join('')) }
    }
  })
}

function pinUpdate ({ blocks, pinning, lock }: EmbeddedNode): Command {
  const path = (name: string): ArgumentSpec => ({ name, kind: 'string', required: true, variadic: false, stdin: false })
  return command({
    path: 'pin/update',
    args: [path('from-path'), path('to-path')],
    options: { unpin: { type: 'bool', fallback: true }, ...fastProvide },
    async run (call) {
      const options = onlineOptions(call)
      using _lock = await lock.forPinning(call)
      const from = await resolveArgument(call.args[0]!, blocks, options)
      const to = await resolveArgument(call.args[1]!, blocks, options)
      await pinning.update(from.cid, to.cid, call.options.unpin, options)
      const shown = [call.showCid(from.cid), call.showCid(to.cid)]
      return { kind: 'one', value: line({ Pins: shown }, `updated ${shown[0]!} to ${shown[1]!}\n`) }
    }
  })
}

