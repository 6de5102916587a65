import { isStuckJoint, leaveJoint } from './membership.ts'
import { membersOf } from './spec-membership.ts'
import { passTick } from './world.ts'
import { require } from './violation.ts'
import type { Clients } from './clients.ts'
import type { World } from './world.ts'
import type { SimPeer } from './peer.ts'
import type { ConfState } from '../core/types.ts'

/** Elections that may be lost by chance before the peers have to agree. */
const electionsMax = 30
const proposeEvery = 5
/** By then everything that was not held back for long has arrived. */
const lateTicks = 8
/** Beside ten election timeouts: the target may have to catch up entry by entry first. */
const catchUpTicks = 100

/**
 * The storm is over, for good. Whoever is still needed comes back, and then a new write must go through, a read be
 * answered, and every member come to the same state, in bounded time; the leader must stay when nothing is wrong, and go
 * when it is asked to. Sometimes only a bare majority comes back: the others stay silent for ever, because a group that
 * needs *all* its peers to recover has a bug as well.
 */
export function heal (world: World, clients: Clients, passed: () => void): void {
  const back = survivors(world)
  world.isCalm = true
  world.network.heal()
  world.network.becomeCalm()
  for (const peer of world.peers) {
    peer.isPaused = false
    peer.disk.isFull = false
    peer.crashAfter(0)
    if (!back.includes(peer)) { if (peer.isUp) peer.crash() } else if (!peer.isUp) peer.start()
  }
  const pass = (): void => {
    passTick(world)
    passed()
  }
  agree(world, clients, back, pass)
  stay(world, pass)
  handOver(world, back, pass)
}

function agree (world: World, clients: Clients, back: readonly SimPeer[], pass: () => void): void {
  const ticksMost = 60 + electionsMax * 2 * world.settings.electionTicks
  for (let tick = 0; tick < ticksMost; tick++) {
    if (tick % proposeEvery === 0 && !clients.isMarked) for (const peer of back) clients.mark(peer)
    if (tick % proposeEvery === 0 && !clients.isReadMarked) for (const peer of back) clients.markRead(peer)
    const conf = world.spec.conf()
    if (conf !== undefined) guide(world, conf, tick)
    pass()
    if (clients.isMarked && clients.isReadMarked && haveAgreed(world, back, clients.acknowledgedIndex)) return
  }
  const states = world.peers.map(peer => peer.isUp ? describe(peer) : `${peer.id}: down`)
  const missing = clients.isMarked ? clients.isReadMarked ? 'agreement' : 'read answered' : 'write answered'
  require(false, 'liveness', () => `no ${missing} ${ticksMost} ticks after the storm:\n  ${states.join('\n  ')}`)
}

/**
 * Nothing is wrong, so nobody stands for election. Unless a peer was removed and does not know it, or words of the
 * storm are still on their way that ask for one: then this says nothing.
 */
function stay ({ settings, spec }: World, pass: () => void): void {
  if (settings.membership > 0 || settings.longDelay > 0) return
  for (let tick = 0; tick < lateTicks; tick++) pass()
  const before = spec.elections
  for (let tick = 0; tick < settings.electionTicks * 3; tick++) pass()
  require(spec.elections === before, 'liveness', () => `${spec.elections - before} elections while all was well`)
}

/** Another voter leads when the leader is asked to hand over; now and then a transfer may fail, not always. */
function handOver (world: World, back: readonly SimPeer[], pass: () => void): void {
  const conf = world.spec.conf() ?? (back[0] as SimPeer).machine.conf
  const able = back.filter(({ id }) => conf.voters.includes(id))
  if (able.length < 2) return
  const isLeader = (peer: SimPeer): boolean => peer.isUp && peer.core.status().role === 'leader'
  const target = world.random.pick(able.filter(peer => !isLeader(peer)))
  for (let tick = 0; tick < catchUpTicks + 10 * world.settings.electionTicks; tick++) {
    if (tick % world.settings.electionTicks === 0) for (const peer of able.filter(isLeader)) peer.alive(core => { core.transferLeader(target.id) })
    pass()
    if (isLeader(target)) return
  }
  require(false, 'liveness', () => `peer ${target.id} was never handed the leadership:\n  ${back.map(describe).join('\n  ')}`)
}

/** What is left to the operator on purpose: an explicit joint state, and a leader that was told to stay when it is removed. */
function guide (world: World, conf: ConfState, tick: number): void {
  if (isStuckJoint(conf)) leaveJoint(world)
  if (world.settings.stepDownOnRemoval || tick % world.settings.electionTicks !== 0) return
  for (const peer of world.peers) {
    if (peer.isUp && !conf.voters.includes(peer.id) && peer.core.status().role === 'leader') {
      const to = world.random.pick(conf.voters)
      peer.alive(core => { core.transferLeader(to) })
    }
  }
}

/** A bare majority may be asked to do alone only while the membership stands still. */
function survivors ({ peers, random, settings, request }: World): readonly SimPeer[] {
  if (settings.membership > 0 || !random.chance(0.3)) return peers
  const voters = random.shuffle(peers.slice(0, request.voters))
  const majority = voters.slice(0, Math.floor(request.voters / 2) + 1)
  return peers.filter(peer => majority.includes(peer) || peer.id > request.voters)
}

/** Every member that is up has applied all that was ever acknowledged, and the membership is not in between. */
function haveAgreed ({ spec, peers }: World, back: readonly SimPeer[], acknowledged: number): boolean {
  const conf = spec.conf() ?? (back[0] as SimPeer).machine.conf
  if (conf.votersOutgoing.length > 0) return false
  return isServed(conf, back) && membersOf(conf).every(id => {
    const peer = peers[id - 1] as SimPeer
    return !back.includes(peer) || peer.machine.applied >= acknowledged
  })
}

function isServed (conf: ConfState, back: readonly SimPeer[]): boolean {
  return back.some(peer => peer.isUp && conf.voters.includes(peer.id) && peer.core.status().role === 'leader')
}

function describe ({ id, core, machine }: SimPeer): string {
  const { role, term, lead, commit, firstIndex, lastIndex, conf } = core.status()
  return `${id}: ${role} of term ${term}, leader ${lead}, commit ${commit}, applied ${machine.applied}, log ${firstIndex}–${lastIndex}, ` +
    `voters ${conf.voters} and ${conf.votersOutgoing}, learners ${conf.learners}`
}
