import { roundsPerTick } from './world.ts'
import type { World } from './world.ts'
import type { SimPeer } from './peer.ts'

/** The weather of one tick. */
export interface Faults {
  strike: () => void
}

const instructionsMost = 14
const pauseTicksMost = 60
const fullTicksMost = 40

/** Crashes, stops, cuts and full disks; each ends by itself after a time that was drawn when it began. */
export function createFaults (world: World): Faults {
  const { settings, random, peers, network, trace } = world
  const ends: Array<{ tick: number, end: () => void }> = []
  let tick = 0
  const later = (ticksMost: number, end: () => void): void => {
    ends.push({ tick: tick + 1 + random.below(ticksMost), end })
  }
  const ids = peers.map(({ id }) => id)

  const crash = (peer: SimPeer): void => {
    if (settings.forModel) {
      peer.disk.sync(peer.disk.unsyncedRecords)
      peer.crash()
      return
    }
    const instructions = random.below(instructionsMost)
    if (instructions === 0) peer.crash()
    else peer.crashAfter(instructions)
  }
  const strikePeer = (peer: SimPeer): void => {
    if (random.chance(settings.crash)) crash(peer)
    if (random.chance(settings.pause)) {
      peer.isPaused = true
      later(pauseTicksMost, () => { peer.isPaused = false })
    }
    if (random.chance(settings.diskFull)) {
      peer.disk.isFull = true
      later(fullTicksMost, () => { peer.disk.isFull = false })
    }
  }

  return {
    strike: () => {
      tick++
      for (const over of ends.filter(({ tick: due }) => due <= tick)) over.end()
      for (let at = ends.length - 1; at >= 0; at--) if ((ends[at] as { tick: number }).tick <= tick) ends.splice(at, 1)

      for (const peer of peers) {
        if (peer.isUp) strikePeer(peer)
        else if (random.chance(1 / settings.downTicksMost)) peer.start()
      }
      if (random.chance(settings.crashAll)) for (const peer of peers) if (peer.isUp) peer.crash()
      if (random.chance(settings.partition)) {
        network.partition(ids)
        trace.add(5, tick * roundsPerTick)
        later(settings.partitionTicksMost, () => { network.heal() })
      }
    }
  }
}
