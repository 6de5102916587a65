import type { AllocationWhy } from './api/allocation-reason.ts'
import { pingName } from './api/metric.ts'
import type { MeasuredPeer, Metric } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import type { Monitor } from './ports.ts'

/** What a pin that waits is taken to need, one block: how large it is nobody knows before it has been fetched, and too much would refuse what fits. */
const assumedPinBytes = 256 << 10
const spaceName = 'freespace'
const queueName = 'pinqueue'

export interface StandingQuestion {
  readonly peerset: readonly PeerId[]
  /** What candidates are ordered by; who lacks one of these cannot be one. */
  readonly metricNames: readonly string[]
  /** They are being relieved of what they hold. */
  readonly draining: ReadonlySet<PeerId>
  readonly latest: Monitor['latest']
  /** What these last said still holds, but they do not answer. They are given nothing more; what they hold counts. */
  readonly silent?: ReadonlySet<PeerId>
  /** How many pins a peer was given since it measured this. */
  readonly givenSince: (metric: Metric) => number
}

export interface Refusal { readonly why: AllocationWhy, readonly detail: string }

/** How the members stand, as far as giving them pins goes. */
export interface Standing {
  /** All members and what they last said. What is kept free for pins that wait is off the weight of the free space. */
  readonly measured: ReadonlyMap<PeerId, MeasuredPeer>
  /** Members that are there, so that what they hold counts. */
  readonly heard: ReadonlySet<PeerId>
  /** Members that are not to be given anything more, and why; all others are candidates. */
  readonly refused: ReadonlyMap<PeerId, Refusal>
}

/** Who can be given a pin: who is there, has told all that is asked for, and has room for more than what waits already. */
export function judgePeers (question: StandingQuestion): Standing {
  const { peerset, metricNames, latest, draining, silent } = question
  const byName = new Map([...new Set([pingName, spaceName, queueName, ...metricNames])].map(name => [name, new Map(latest(name).map(metric => [metric.peer, metric]))]))
  const measured = new Map<PeerId, MeasuredPeer>()
  const heard = new Set<PeerId>()
  const refused = new Map<PeerId, Refusal>()

  for (const peer of peerset) {
    const told = new Map([...byName].flatMap(([, metrics]) => metrics.get(peer) ?? []).map(metric => [metric.name, metric]))
    const space = spaceLeft(told, question)
    const metrics = space === undefined ? told : new Map([...told, [spaceName, { ...told.get(spaceName)!, weight: space.leftBytes }]])
    measured.set(peer, { peer, metrics })
    const isHeard = told.get(pingName)?.isValid === true
    if (isHeard) heard.add(peer)
    const refusal = isHeard && silent?.has(peer) !== true ? drains(peer, draining) ?? unmeasured(told, metricNames) ?? full(space) : { why: 'silent' as const, detail: '' }
    if (refusal !== undefined) refused.set(peer, refusal)
  }
  return { measured, heard, refused }
}

interface SpaceLeft { readonly leftBytes: number, readonly freeBytes: number, readonly pins: number }

/** `undefined` where free space is not measured. */
function spaceLeft (told: ReadonlyMap<string, Metric>, { givenSince }: StandingQuestion): SpaceLeft | undefined {
  const space = told.get(spaceName)
  if (space?.isValid !== true) return undefined
  const queue = told.get(queueName)
  const pins = queue?.isValid === true ? waitingIn(queue) + givenSince(queue) : givenSince(space)
  return { leftBytes: space.weight - pins * assumedPinBytes, freeBytes: space.weight, pins }
}

/** Text of another peer, which may be anything. */
function waitingIn ({ value }: Metric): number {
  return /^\d{1,12}$/.test(value) ? Number(value) : 0
}

function drains (peer: PeerId, draining: ReadonlySet<PeerId>): Refusal | undefined {
  return draining.has(peer) ? { why: 'draining', detail: '' } : undefined
}

function full (space: SpaceLeft | undefined): Refusal | undefined {
  if (space === undefined || space.leftBytes > 0) return undefined
  return { why: 'full', detail: `${space.freeBytes} bytes are free and ${space.pins} pins wait` }
}

function unmeasured (told: ReadonlyMap<string, Metric>, names: readonly string[]): Refusal | undefined {
  const missing = names.filter(name => told.get(name)?.isValid !== true)
  if (missing.length === 0) return undefined
  return { why: 'unmeasured', detail: missing.map(name => told.has(name) ? `${name}: ${told.get(name)!.value}` : `${name} is not known`).join('; ') }
}
