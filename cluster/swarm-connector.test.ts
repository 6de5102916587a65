import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { silentLogger } from './log.ts'
import type { Membership, PeerRpc } from './peer-ports.ts'
import { createSwarmConnector } from './swarm-connector.ts'

const third = '12D3KooWThird' as PeerId
const never = { signal: new AbortController().signal }

async function arrange (addressesOf: (peer: PeerId) => readonly string[]) {
  const clock = new FakeClock()
  const connected: string[] = []
  let changed = (): void => {}
  const membership = {
    members: () => [self, other, third].map(peer => ({ peer, addresses: [] })),
    watch (tell: () => void) {
      changed = tell
      return { [Symbol.dispose] () {} }
    }
  } as unknown as Membership
  const connector = createSwarmConnector({
    self, membership, clock, log: silentLogger,
    rpc: { call: async (peer: PeerId) => addressesOf(peer) } as unknown as Pick<PeerRpc, 'call'>,
    connect: async addresses => { connected.push(addresses.join()) }
  }, { connectSwarmsDelay: 5_000 })
  await connector.start(never)
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(left, 500))
      await new Promise(setImmediate)
    }
  }
  return { connector, connected, pass, changed: () => { changed() } }
}

t.test('after the delay the daemon is connected to those of the others, then every minute', async t => {
  const { connector, connected, pass } = await arrange(peer => [`/of/${peer === other ? 'other' : 'third'}`])

  await pass(4_500)
  const early = connected.length
  await pass(500)
  const first = [...connected]
  await pass(61_000)

  t.equal(early, 0)
  t.strictSame(first.sort(), ['/of/other', '/of/third'])
  t.equal(connected.length, 4)
  await connector[Symbol.asyncDispose]()
})

t.test('a change of the membership has them connected soon', async t => {
  const { connector, connected, pass, changed } = await arrange(() => ['/somewhere'])
  await pass(6_000)

  changed()
  await pass(1_000)

  t.equal(connected.length, 4)
  await connector[Symbol.asyncDispose]()
})

t.test('a peer that does not answer, or has no addresses to tell, holds up nobody', async t => {
  const { connector, connected, pass } = await arrange(peer => {
    if (peer === other) throw new ClusterError('ERR_PEER_FAILED', 'away')
    return peer === third ? ['/third'] : []
  })

  await pass(6_000)

  t.strictSame(connected, ['/third'])
  await connector[Symbol.asyncDispose]()
})
