import { CID } from 'multiformats/cid'
import type { Pin, PinMode } from '../cluster/api/pin.ts'
import type { CommandCall } from './command.ts'
import type { CommandComponents } from './routes.ts'

export type PinTypeAsked = 'all' | 'recursive' | 'direct' | 'indirect'

/** One pin as `pin/ls` shows it. `name` is empty unless names were asked for. */
export interface ListedPin { readonly cid: CID, readonly type: string, readonly name: string }

export interface ListQuestion {
  readonly type: PinTypeAsked
  /** Only pins whose name contains it; empty for all. */
  readonly name: string
  readonly detailed: boolean
}

/**
 * The cluster's pins and the daemon's as one list, each CID once, in Kubo's order: recursive, direct, indirect, and within these as
 * the daemon lists them, with what only the cluster knows behind. A CID that the cluster pins is what the cluster says it is, and what it has just
 * unpinned is gone.
 */
export async function * listPins (question: ListQuestion, call: Pick<CommandCall, 'options' | 'patience' | 'timeLeft'>, components: CommandComponents): AsyncGenerator<ListedPin, void, undefined> {
  const { type, name, detailed } = question
  // An indirect pin has no name, so no filter finds it; neither has the daemon to walk for it.
  if (name !== '' && type === 'indirect') return
  const asked: readonly PinTypeAsked[] = name !== '' && type === 'all' ? ['recursive', 'direct'] : [type]
  const rest = new Rest(components, call, type)
  const isWanted = (pin: ListedPin): boolean => name === '' || pin.name.includes(name)

  for (const one of asked) {
    for await (const pin of daemonPins(one, question, call, components)) {
      if (pin.type !== 'recursive') yield * rest.take('recursive', question)
      if (pin.type === 'indirect') yield * rest.take('direct', question)
      const entry = await components.cluster.state.get(pin.cid)
      const shown = entry !== undefined ? rest.claim(entry.pin, detailed) : isOnItsWayOut(pin, components) ? undefined : pin
      if (shown !== undefined && isWanted(shown)) yield shown
    }
  }
  yield * rest.take('recursive', question)
  yield * rest.take('direct', question)
}

/** Unpinned by whatever peer, and its daemon has only not let go yet. What is held through another pin stays. */
const isOnItsWayOut = ({ cid, type }: ListedPin, { cluster }: CommandComponents): boolean => type !== 'indirect' && cluster.isLettingGo(cid)

async function * daemonPins (type: PinTypeAsked, { detailed }: ListQuestion, call: Pick<CommandCall, 'options' | 'patience' | 'timeLeft'>, { daemon }: CommandComponents): AsyncGenerator<ListedPin, void, undefined> {
  const timeout = call.timeLeft()
  const query: [string, string][] = [['stream', 'true'], ['type', type], ['names', String(detailed)]]
  if (timeout !== undefined) query.push(['timeout', timeout])
  if (call.options.offline === true || call.options.local === true) query.push(['offline', 'true'])
  for await (const line of daemon.values('pin/ls', { query, signal: call.patience })) {
    const { Cid, Name = '', Type } = line as { Cid: string, Name?: string, Type: string }
    yield { cid: CID.parse(Cid), name: Name, type: Type }
  }
}

/** Those of the cluster's pins that the daemon has not listed. */
class Rest {
  readonly #components: CommandComponents
  readonly #signal: AbortSignal
  readonly #type: PinTypeAsked
  /** A few bytes a pin: what was shown. */
  readonly #shown = new Set<string>()
  readonly #taken = new Set<PinMode>()

  constructor (components: CommandComponents, { patience }: Pick<CommandCall, 'patience'>, type: PinTypeAsked) {
    this.#components = components
    this.#signal = patience
    this.#type = type
  }

  /** The daemon has listed this one: how it is shown, unless it has been or is not of the type asked for. */
  claim (pin: Pin, detailed: boolean): ListedPin | undefined {
    const key = keyOf(pin.cid)
    if (this.#shown.has(key) || this.#taken.has(pin.mode)) return undefined
    this.#shown.add(key)
    return this.#isOfType(pin) ? { cid: pin.cid, type: pin.mode, name: detailed ? pin.name : '' } : undefined
  }

  /** All that is left of a mode; nothing the second time. */
  async * take (mode: PinMode, { name, detailed }: ListQuestion): AsyncGenerator<ListedPin, void, undefined> {
    if (this.#taken.has(mode)) return
    this.#taken.add(mode)
    const { state } = this.#components.cluster
    if ((this.#type !== 'all' && this.#type !== mode) || this.#shown.size === await state.count()) return
    for await (const pin of state.list({ signal: this.#signal })) {
      if (pin.mode !== mode || this.#shown.has(keyOf(pin.cid))) continue
      this.#shown.add(keyOf(pin.cid))
      if (pin.name.includes(name)) yield { cid: pin.cid, type: mode, name: detailed ? pin.name : '' }
    }
  }

  #isOfType ({ mode }: Pin): boolean {
    return this.#type === 'all' || this.#type === mode
  }
}

const keyOf = (cid: CID): string => Buffer.from(cid.bytes).toString('latin1')
