import { SimDisk } from './disk.ts'
import { SimPeer } from './peer.ts'
import { Spec } from './spec.ts'
import { cloneMessage } from './clone.ts'
import { firstImage } from './first-image.ts'
import { createNetwork } from './network.ts'
import { createRandom } from './random.ts'
import { createTrace } from './trace.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { RunRequest, Settings } from './settings.ts'
import type { Trace } from './trace.ts'
import type { TraceEvents } from '../core/trace-event.ts'
import type { Entry, Message, NodeId } from '../core/types.ts'

/** Peers that are no members at first, for membership changes to add. */
const sparesMax = 3
export const roundsPerTick = 3

/** Everything of one run: the peers, what is between them, and the specification that watches. */
export interface World {
  readonly request: RunRequest
  readonly settings: Settings
  readonly random: Random
  readonly trace: Trace
  readonly spec: Spec
  readonly network: Network<Message>
  readonly peers: readonly SimPeer[]
  /** Called when an entry took effect on a peer. */
  onApplied: (id: NodeId, entry: Entry) => void
  isCalm: boolean
  round: number
}

const typeNumbers = new Map<string, number>()

export function createWorld (request: RunRequest, settings: Settings, events?: TraceEvents): World {
  const random = createRandom(request.seed, 2)
  const trace = createTrace()
  const ids = Array.from({ length: request.voters + request.learners + (settings.membership > 0 ? sparesMax : 0) }, (_, at) => at + 1)
  const disks = ids.map(id => new SimDisk(createRandom(request.seed, 1_000 + id), firstImage(request, id)))
  const peers: SimPeer[] = []
  const world: World = {
    request,
    settings,
    random,
    trace,
    spec: new Spec(settings, id => (disks[id - 1] as SimDisk).durable),
    network: createNetwork(settings, createRandom(request.seed, 3), ids.length),
    peers,
    onApplied: () => {},
    isCalm: false,
    round: 0
  }
  for (const id of ids) {
    peers.push(new SimPeer(id, disks[id - 1] as SimDisk, {
      settings,
      spec: world.spec,
      random: createRandom(request.seed, 2_000 + id),
      trace,
      round: () => world.round,
      send: (from, message) => { post(world, from, message) },
      applied: (id, entry) => { world.onApplied(id, entry) },
      isCalm: () => world.isCalm,
      ...(events !== undefined && { core: { events: event => { if (!world.isCalm) events(event) } } })
    }))
  }
  for (const peer of peers) peer.start()
  return world
}

/** One tick of every peer's clock, and the rounds in which messages, disks and machines go on. */
export function passTick (world: World): void {
  for (const peer of world.random.shuffle([...world.peers])) {
    peer.tick()
    peer.work()
  }
  for (let round = 0; round < roundsPerTick; round++) {
    world.round++
    for (const { from, to, message } of world.network.arrivals(world.round)) deliver(world, from, to, message)
    for (const peer of world.peers) peer.work()
  }
}

function post (world: World, from: NodeId, message: Message): void {
  const to = message.to
  const sent = to <= world.peers.length && world.network.send({ from, to, message: cloneMessage(message) })
  if (!sent) failed(world, from, message)
}

function deliver (world: World, from: NodeId, to: NodeId, message: Message): void {
  const arrived = world.network.isOpen(from, to) && (world.peers[to - 1] as SimPeer).receive(message)
  if (!arrived) return failed(world, from, message)
  world.trace.add(4, from * 256 + to, typeNumber(message.type), message.term, message.index + message.commit * 65_536)
  if (message.type === 'MsgSnap') world.peers[from - 1]?.alive(core => { core.reportSnapshot(to, true) })
}

/** A transport notices some of its losses, and always that a snapshot did not get through. */
function failed (world: World, from: NodeId, { type, to }: Message): void {
  const peer = world.peers[from - 1] as SimPeer
  if (type === 'MsgSnap') peer.alive(core => { core.reportSnapshot(to, false) })
  else if (world.random.chance(0.2)) peer.alive(core => { core.reportUnreachable(to) })
}

function typeNumber (type: string): number {
  const known = typeNumbers.get(type)
  if (known !== undefined) return known
  let number = 0
  for (let at = 0; at < type.length; at++) number = number * 31 + type.charCodeAt(at) & 0x7fffffff
  typeNumbers.set(type, number)
  return number
}
