/** What can go wrong, one entry each: how it is brought about, who is left, and how it is mended. */
import { once } from 'node:events'
import type { TestPeer } from './cluster.ts'
import { eventually } from './eventually.ts'
import type { PeerLinks } from './peer-links.ts'
import type { SmallDisk } from './small-disk.ts'

export interface FaultWorld {
  readonly peers: readonly TestPeer[]
  /** Between peers, numbered as in `peers`. */
  readonly links: PeerLinks
  /** How long what is not mended by starting something lasts. */
  readonly lastsMs: number
  /** Of the last peer, where one may be mounted. */
  readonly smallDisk: SmallDisk | undefined
}

export interface Struck {
  /** They are a quorum, and are to go on. */
  readonly survivors: readonly TestPeer[]
  mend (): Promise<void>
}

export interface Fault {
  /** Why it cannot be tried here. */
  readonly whyNot?: (world: FaultWorld) => string | false
  readonly strike: (world: FaultWorld) => Promise<Struck>
}

/** Who leads by its own word, since its last start. */
export async function leaderAmong (peers: readonly TestPeer[]): Promise<TestPeer> {
  const termOf = (peer: TestPeer): number => Math.max(0, ...[...peer.process.err().matchAll(/(?<!no )leader in term (\d+)/g)].map(([, term]) => Number(term)))
  return await eventually('somebody leads', () => peers.filter(peer => termOf(peer) > 0).toSorted((a, b) => termOf(b) - termOf(a))[0])
}

const others = (peers: readonly TestPeer[], ...struck: readonly TestPeer[]): readonly TestPeer[] => peers.filter(peer => !struck.includes(peer))

async function aFollower ({ peers }: FaultWorld): Promise<TestPeer> {
  return others(peers, await leaderAmong(peers)).at(-1)!
}

async function lasting ({ lastsMs }: FaultWorld): Promise<void> {
  await once(AbortSignal.timeout(lastsMs), 'abort')
}

const killing = (choose: (world: FaultWorld) => Promise<TestPeer>): Fault => ({
  async strike (world) {
    const peer = await choose(world)
    await peer.kill()
    return { survivors: others(world.peers, peer), mend: async () => { await peer.start() } }
  }
})

const pausing = (choose: (world: FaultWorld) => Promise<TestPeer>): Fault => ({
  async strike (world) {
    const peer = await choose(world)
    peer.pause()
    return {
      survivors: others(world.peers, peer),
      async mend () {
        await lasting(world)
        peer.resume()
      }
    }
  }
})

/** Does to each link between one peer and the others what it is told. */
const severing = (choose: (world: FaultWorld) => Promise<TestPeer>, sever: (links: PeerLinks, one: number, other: number) => void): Fault => ({
  whyNot: () => process.platform !== 'linux' && 'peers are told apart by loopback addresses that only Linux has',
  async strike (world) {
    const { peers, links } = world
    const peer = await choose(world)
    for (const other of others(peers, peer)) sever(links, peers.indexOf(peer), peers.indexOf(other))
    return {
      survivors: others(peers, peer),
      async mend () {
        await lasting(world)
        links.heal()
      }
    }
  }
})

const daemonMissing = ({ peers }: FaultWorld): string | false => peers.some(({ daemonProcess }) => daemonProcess === undefined) && 'the embedded daemon ends with its peer'

const aLeader = async ({ peers }: FaultWorld): Promise<TestPeer> => await leaderAmong(peers)

export const faults: Readonly<Record<string, Fault>> = {
  'the leader is killed': killing(aLeader),
  'a follower is killed': killing(aFollower),
  'all are killed': {
    async strike ({ peers }) {
      await Promise.all(peers.map(async peer => { await peer.kill() }))
      return { survivors: [], mend: async () => { await Promise.all(peers.map(async peer => { await peer.start() })) } }
    }
  },
  'all are restarted': {
    async strike ({ peers }) {
      await Promise.all(peers.map(async peer => await peer.stop()))
      return { survivors: [], mend: async () => { await Promise.all(peers.map(async peer => { await peer.start() })) } }
    }
  },
  'a daemon is killed': {
    whyNot: daemonMissing,
    async strike (world) {
      const peer = await aFollower(world)
      await peer.daemonProcess!.kill()
      return {
        survivors: others(world.peers, peer),
        async mend () {
          await peer.daemonProcess!.start()
          await eventually('it is noticed', async () => (await fetch(`${peer.rest}/health/ready`)).ok)
          await fetch(`${peer.rest}/pins/recover?local=true`, { method: 'POST' }).then(async response => await response.text())
        }
      }
    }
  },
  'a daemon hangs': {
    whyNot: daemonMissing,
    async strike (world) {
      const peer = await aFollower(world)
      const { pid } = peer.daemonProcess!
      process.kill(pid, 'SIGSTOP')
      return {
        survivors: others(world.peers, peer),
        async mend () {
          await lasting(world)
          process.kill(pid, 'SIGCONT')
        }
      }
    }
  },
  'the leader hangs': pausing(aLeader),
  'a follower hangs': pausing(aFollower),
  'the leader is cut off': severing(aLeader, (links, one, other) => { links.cut(one, other) }),
  'the leader is not heard': severing(aLeader, (links, one, other) => { links.hush(one, other) }),
  'the leader hears nobody': severing(aLeader, (links, one, other) => { links.hush(other, one) }),
  'the leader is in a black hole': severing(aLeader, (links, one, other) => {
    links.hush(one, other)
    links.hush(other, one)
  }),
  'a follower is in a black hole': severing(aFollower, (links, one, other) => {
    links.hush(one, other)
    links.hush(other, one)
  }),
  'the disk of a peer is full': {
    whyNot: ({ smallDisk }) => smallDisk === undefined && 'a small disk takes the right to mount one',
    async strike (world) {
      const { peers } = world
      const disk = world.smallDisk!
      const peer = peers.at(-1)!
      await disk.fill()
      return {
        survivors: others(peers, peer),
        async mend () {
          await lasting(world)
          await disk.free()
          if (peer.process.child.exitCode !== null) { // it could not keep what was agreed on, and has ended
            await peer.kill()
            await peer.start()
          }
          await fetch(`${peer.rest}/pins/recover?local=true`, { method: 'POST' }).then(async response => await response.text())
        }
      }
    }
  }
}
