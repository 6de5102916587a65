import { CID } from 'multiformats/cid'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import { goMap } from '../cluster/api/kubo/go-json.ts'
import { argument, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import { resolveArgument } from './ipfs-path.ts'
import { KuboCommandError } from './kubo-error.ts'
import { checkPinName } from './pin-name.ts'
import { listPins } from './list-pins.ts'
import type { ListedPin, PinTypeAsked } from './list-pins.ts'
import type { CommandComponents } from './routes.ts'

interface PinLsType { readonly [key: string]: string, readonly Type: string, readonly Name: string }
/** One value of a list, or the whole of it: Kubo's `PinLsOutputWrapper` is both. */
interface PinLsOutput {
  readonly [key: string]: string | undefined | { readonly [cid: string]: PinLsType }
  readonly Keys?: { readonly [cid: string]: PinLsType } | undefined
  readonly Cid?: string | undefined
  readonly Name?: string | undefined
  readonly Type?: string | undefined
}

const options = {
  type: { type: 'string', aliases: ['t'], fallback: 'all' },
  quiet: { type: 'bool', aliases: ['q'] },
  name: { type: 'string', aliases: ['n'] },
  stream: { type: 'bool', aliases: ['s'] },
  names: { type: 'bool' }
} as const

type PinLsCall = CommandCall<{ readonly type: string, readonly quiet: boolean | undefined, readonly name: string | undefined, readonly stream: boolean | undefined, readonly names: boolean | undefined }, PinLsOutput>

/** `pin/ls`: the cluster's pins, whether or not this daemon holds them yet, and what the daemon pins besides. */
export function pinLs (components: CommandComponents): KuboCommand {
  return kuboCommand({
    path: 'pin/ls',
    args: [argument('ipfs-path', 'variadic')],
    options,
    isRead: true,
    text (value: PinLsOutput, { quiet }) {
      const line = (cid: string, type: string, name: string): string => quiet === true ? `${cid}\n` : `${cid} ${type}${name === '' ? '' : ` ${name}`}\n`
      if (value.Cid !== undefined) return line(value.Cid, value.Type ?? '', value.Name ?? '')
      return Object.entries(value.Keys ?? {}).map(([cid, { Type, Name }]) => line(cid, Type, Name)).join('')
    },
    printed ({ Keys = {}, Cid = '', Name = '', Type = '' }) {
      const keys = Object.entries(Keys).map(([cid, pin]) => `${cid}:{${pin.Type} ${pin.Name}}`)
      return `{{map[${keys.join(' ')}]} {${Cid} ${Name} ${Type}}}`
    },
    xml () { throw new Error('xml: unsupported type: map[string]pin.PinLsType') },
    async run (call) {
      const { name: filter = '', names, stream, type } = call.options
      checkPinName(filter)
      const name = filter.toWellFormed() // as names are kept
      const detailed = names === true || name !== ''
      const isAsked = call.args.length > 0
      if (!isType(type) && !(isAsked && quietTypes.has(type))) throw new KuboCommandError(`invalid type '${type}', must be one of {direct, indirect, recursive, all}`)
      const pins = isAsked ? pinsOfArguments({ type, detailed }, call, components) : listPins({ type: type as PinTypeAsked, name, detailed }, call, components)
      if (stream === true) await answerStream(pins, call)
      else await answerWhole(pins, call)
    }
  })
}

async function answerStream (pins: AsyncIterable<ListedPin>, { reply, cidText }: PinLsCall): Promise<void> {
  for await (const { cid, name, type } of pins) {
    await reply.emit({ Cid: cidText(cid), Name: name === '' ? undefined : name, Type: type })
  }
}

async function answerWhole (pins: AsyncIterable<ListedPin>, { reply, cidText }: PinLsCall): Promise<void> {
  const keys = new Map<string, PinLsType>()
  for await (const { cid, name, type } of pins) keys.set(cidText(cid), { Type: type, Name: name })
  await reply.once(keys.size === 0 ? {} : { Keys: goMap(keys) })
}

interface Asked { readonly type: string, readonly detailed: boolean }

/** Kubo's pinner knows these besides, and asks it about arguments without a look at them. */
const quietTypes: ReadonlySet<string> = new Set(['any', 'internal', 'not pinned'])

/** Each argument must be pinned, in the way asked for; a name filter has no say here. */
async function * pinsOfArguments ({ type, detailed }: Asked, call: PinLsCall, components: CommandComponents): AsyncGenerator<ListedPin, void, undefined> {
  const cids: CID[] = []
  for (const text of call.args) cids.push(await resolveArgument(components.daemon, text, call))
  if (type === 'not pinned') throw new KuboCommandError("invalid Pin Mode '4', must be one of {1, 2, 0, 3, 5}")

  const known = new Map<string, ListedPin | undefined>()
  for (const [i, cid] of cids.entries()) {
    const key = cid.toString()
    if (!known.has(key)) known.set(key, await pinOf(cid, { type, detailed }, call, components))
    const pin = known.get(key)
    if (pin === undefined) throw new KuboCommandError(`path '${call.args[i]!}' is not pinned`)
    yield pin
  }
}

async function pinOf (cid: CID, { type: written, detailed }: Asked, call: PinLsCall, { cluster, daemon, givenUp }: CommandComponents): Promise<ListedPin | undefined> {
  if (written === 'internal') return undefined // of which there are none any more
  const type = written === 'any' ? 'all' : written
  await givenUp.settled(cid, call)
  const entry = await cluster.state.get(cid)
  if (entry !== undefined && type !== 'indirect') {
    const { mode, name } = entry.pin
    return type === 'all' || type === mode ? { cid, type: mode, name: detailed ? name : '' } : undefined
  }
  const isOnItsWayOut = cluster.isLettingGo(cid)
  if (isOnItsWayOut && type !== 'all' && type !== 'indirect') return undefined
  const timeout = call.timeLeft()
  const query: [string, string][] = [['arg', cid.toString()], ['type', isOnItsWayOut ? 'indirect' : type], ['names', String(detailed)]]
  if (timeout !== undefined) query.push(['timeout', timeout])
  if (call.options.offline === true || call.options.local === true) query.push(['offline', 'true'])
  try {
    const { Keys } = await daemon.value('pin/ls', { query, signal: call.patience }) as { Keys?: Record<string, PinLsType> }
    const found = Object.values(Keys ?? {})[0]
    return found === undefined ? undefined : { cid, name: found.Name ?? '', type: retold(found.Type, call) }
  } catch (err) {
    if (err instanceof KuboRepliedError && err.message === `path '${cid.toString()}' is not pinned`) return undefined
    throw err
  }
}

/** The root in `indirect through <cid>` is printed in the base the caller asked for. */
function retold (type: string, { cidText }: PinLsCall): string {
  const through = 'indirect through '
  return type.startsWith(through) ? `${through}${cidText(CID.parse(type.slice(through.length)))}` : type
}

const isType = (text: string): text is PinTypeAsked => text === 'all' || text === 'recursive' || text === 'direct' || text === 'indirect'
