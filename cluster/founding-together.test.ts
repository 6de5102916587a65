import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { isFounderOf } from './founding-together.ts'
import { silentLogger } from './log.ts'
import type { Logger } from './log.ts'
import type { PeerRpc } from './peer-ports.ts'

const never = { signal: new AbortController().signal }
const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]

/** What each of the others answers about its cluster; whoever is not there is away. May be changed. */
function arrange (me: PeerId, clusters: Record<string, readonly PeerId[]>) {
  const clock = new FakeClock()
  const warnings: string[] = []
  const call = async (peer: PeerId): Promise<{ readonly clusterPeers: readonly PeerId[] }> => {
    if (clusters[peer] === undefined) throw new Error('nobody there')
    return { clusterPeers: clusters[peer] }
  }
  const log: Logger = { ...silentLogger, warn: message => { warnings.push(message) } }
  return { clock, warnings, clusters, parts: { self: me, rpc: { call } as unknown as Pick<PeerRpc, 'call'>, clock, log } }
}

async function pass (clock: FakeClock, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await new Promise(setImmediate)
    clock.advance(500)
  }
}

t.test('of those that start together the one with the smallest id founds, once a majority is there that is in no cluster', async t => {
  const { clock, clusters, warnings, parts } = arrange(a, {})
  let answer: boolean | undefined
  const asked = isFounderOf([c, a, b], parts, never).then(is => { answer = is })

  await pass(clock, 10)
  t.equal(answer, undefined)
  t.equal(warnings.length, 1)
  clusters['c'] = []
  await pass(clock, 2)
  await asked

  t.equal(answer, true)
  for (const me of [b, c]) t.equal(await isFounderOf([c, a, b], arrange(me, {}).parts, never), false)
  t.equal(await isFounderOf([a], arrange(a, {}).parts, never), true, 'alone nobody is waited for')
  t.equal(await isFounderOf([b, c], arrange(a, { c: [] }).parts, never), true, 'whether it is named among them or not')
})

t.test('the one with the smallest id that has lost its folder founds no second cluster', async t => {
  t.equal(await isFounderOf([a, b, c], arrange(a, { b: [a, b, c], c: [] }).parts, never), false)
})

t.test('who may have a cluster of its own is no proof that there is none', async t => {
  const { clock, clusters, parts } = arrange(a, { b: [b] })
  let answer: boolean | undefined
  const asked = isFounderOf([a, b], parts, never).then(is => { answer = is })

  await pass(clock, 50)
  t.equal(answer, undefined)
  clusters['b'] = [self, other]
  await pass(clock, 2)
  await asked

  t.equal(answer, false)
})
