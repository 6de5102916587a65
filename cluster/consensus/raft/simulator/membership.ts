import type { World } from './world.ts'
import type { ConfChange, ConfChangeSingle, ConfChangeType, ConfState } from '../core/types.ts'

const nothing = new Uint8Array(0)
const types: readonly ConfChangeType[] =
  ['ConfChangeAddNode', 'ConfChangeAddNode', 'ConfChangeAddLearnerNode', 'ConfChangeRemoveNode', 'ConfChangeUpdateNode']

/** Operators at work: changes that may or may not fit the membership they meet, transfers, forced elections. */
export function meddle (world: World): void {
  const { settings, random, peers, spec } = world
  if (settings.forModel) return meddlePlainly(world)
  if (random.chance(settings.membership)) {
    const change = drawChange(world)
    const version = change.transition === 'auto' && change.changes.length === 1 && random.chance(0.3) ? 1 : 2
    const peer = random.pick(peers)
    world.trace.add(6, peer.id, change.changes.length)
    peer.alive(core => { core.proposeConfChange(change, version) })
  }
  if (random.chance(settings.transfer)) {
    const to = random.pick(peers).id
    random.pick(peers).alive(core => { core.transferLeader(to) })
  }
  if (random.chance(settings.forgetLeader)) random.pick(peers).alive(core => { core.forgetLeader() })
  const conf = spec.conf()
  if (conf !== undefined && isStuckJoint(conf) && random.chance(0.1)) leaveJoint(world)
}

/** One change at a time, asked of the leader and fit for its membership; nobody is demoted. */
function meddlePlainly ({ settings, random, peers }: World): void {
  const leader = peers.find(peer => peer.isUp && peer.core.status().role === 'leader')
  if (leader === undefined || !random.chance(settings.membership)) return
  const { voters, learners } = leader.core.status().conf
  const fitting = peers.flatMap(({ id: nodeId, machine }): ConfChangeSingle[] => {
    if (voters.includes(nodeId)) return voters.length > 2 ? [{ type: 'ConfChangeRemoveNode', nodeId }] : []
    const add: ConfChangeSingle = { type: 'ConfChangeAddNode', nodeId }
    if (learners.includes(nodeId)) return [add]
    // The model remembers what a removed peer held; the engine begins anew with one that comes back.
    return machine.applied > 0 ? [] : [add, { type: 'ConfChangeAddLearnerNode', nodeId }]
  })
  if (fitting.length > 0) leader.alive(core => { core.proposeConfChange({ transition: 'auto', changes: [random.pick(fitting)], context: nothing }) })
}

/** An explicit joint state is only left when somebody asks for it. */
export function isStuckJoint (conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0 && !conf.autoLeave
}

export function leaveJoint ({ peers }: World): void {
  for (const peer of peers) {
    peer.alive(core => {
      if (core.status().role === 'leader') core.proposeConfChange({ transition: 'auto', changes: [], context: nothing })
    })
  }
}

function drawChange ({ random, peers }: World): ConfChange {
  const changes: ConfChangeSingle[] = []
  const count = random.chance(0.6) ? 1 : random.between(2, 3)
  for (let made = 0; made < count; made++) changes.push({ type: random.pick(types), nodeId: random.pick(peers).id })
  const distinct = changes.filter(({ nodeId }, at) => changes.findIndex(other => other.nodeId === nodeId) === at)
  const transition = random.pick(['auto', 'auto', 'implicit', 'explicit'] as const)
  return { transition, changes: distinct, context: nothing }
}
