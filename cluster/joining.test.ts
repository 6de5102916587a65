import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import { ClusterError, OtherSecretError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { joinThrough } from './joining.ts'
import type { Logger } from './log.ts'
import { silentLogger } from './log.ts'
import type { JoinRequest, PeerRpc } from './peer-ports.ts'

const never = { signal: new AbortController().signal }
const request: JoinRequest = { peer: self, clusterName: 'c', nodeId: 1, incarnation: 1, addresses: [], daemon: '', votes: true }
const away = new ClusterError('ERR_PEER_FAILED', 'nobody listens')

/** `answers` are of the calls, in order; the last again and again. */
function arrange (answers: readonly (Error | undefined)[], { known = [] as readonly PeerId[], at = other } = {}) {
  const clock = new FakeClock()
  const asked: PeerId[] = []
  const warnings: string[] = []
  const call = async (peer: PeerId): Promise<readonly never[]> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)]
    asked.push(peer)
    if (answer !== undefined) throw answer
    return []
  }
  const log: Logger = { ...silentLogger, warn: message => { warnings.push(message) } }
  const host = { connectTo: async () => at, known: () => new Map(known.map(peer => [peer, undefined])) }
  return { clock, asked, warnings, parts: { host, rpc: { call } as unknown as Pick<PeerRpc, 'call'>, believe () {}, self, clock, log } }
}

/** Lets what is waiting go on. */
async function pass (clock: FakeClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i += 250) {
    clock.advance(250)
    await new Promise(setImmediate)
  }
}

t.test('contacts are asked again and again, ever more seldom, until one takes the peer in', async t => {
  const { clock, asked, warnings, parts } = arrange([away, away, away, undefined])

  const joined = joinThrough(parts, ['/ip4/10.0.0.1/tcp/9096'], request, never)
  await pass(clock, 2_000)
  await joined

  t.equal(asked.length, 4)
  t.strictSame(warnings, ['waiting for a peer that takes this one in; nothing is served before'])
})

t.test('a large pinset takes longer than one call may: it is asked again, until the peer votes', async t => {
  const late = new ClusterError('ERR_TIMEOUT', 'Cluster.Join took longer than 60000 ms')
  const { clock, asked, parts } = arrange([late, late, undefined])

  const joined = joinThrough(parts, ['/ip4/10.0.0.1/tcp/9096'], request, never)
  await pass(clock, 2_000)
  await joined

  t.equal(asked.length, 3)
})

t.test('who is asked and does not answer for long is told', async t => {
  const { clock, parts } = arrange([])
  const told: string[] = []
  const gone = new AbortController()
  const call = async (): Promise<never> => await new Promise((_resolve, reject) => { gone.signal.addEventListener('abort', () => { reject(gone.signal.reason) }) })

  const joined = joinThrough({ ...parts, rpc: { call } as unknown as Pick<PeerRpc, 'call'>, log: { ...silentLogger, info: message => { told.push(message) } } }, ['/ip4/10.0.0.1/tcp/9096'], request, { signal: gone.signal })
  await pass(clock, 10_500)
  gone.abort(new Error('stopped'))

  await t.rejects(joined, { message: 'stopped' })
  t.match(told, [/^still asking to be taken in/])
})

t.test('a refusal is final, and says that it is the cluster\'s', async t => {
  const { asked, parts } = arrange([new ClusterError('ERR_INVALID_ARGUMENT', 'the folder is a copy')])

  await t.rejects(joinThrough(parts, ['/ip4/10.0.0.1/tcp/9096'], request, never), {
    code: 'ERR_INVALID_ARGUMENT', message: 'the cluster does not take this peer in: the folder is a copy'
  })

  t.equal(asked.length, 1)
})

t.test('peers whose addresses are known are asked as well, and never this one', async t => {
  const { asked, parts } = arrange([undefined], { known: [other], at: self })

  await joinThrough(parts, ['/ip4/127.0.0.1/tcp/9096'], request, never)

  t.strictSame(asked, [other])
})

t.test('when all that are asked have another secret, again and again, that is the end; one that is away, or may be, is waited for', async t => {
  const stranger = new OtherSecretError('its secret is another one')
  const [all, one, once] = [arrange([stranger]), arrange([stranger, away, stranger, away, stranger, away, undefined], { known: [other] }), arrange([stranger, stranger, away, stranger, undefined])]

  const refused = t.rejects(joinThrough(all.parts, ['/ip4/10.0.0.1/tcp/9096'], request, never), {
    code: 'ERR_INVALID_ARGUMENT', message: 'the cluster does not take this peer in: its secret (cluster.secret, CLUSTER_SECRET) is not that of /ip4/10.0.0.1/tcp/9096; copy theirs'
  })
  const joined = [one, once].map(async ({ parts }) => { await joinThrough(parts, ['/ip4/10.0.0.1/tcp/9096'], request, never) })
  for (const { clock } of [all, one, once]) await pass(clock, 10_000)
  await Promise.all([refused, ...joined])

  t.equal(all.asked.length, 3)
})

t.test('addresses that lead to this peer only are nobody to join; as long as nobody is known that is said', async t => {
  const [itself, alone] = [arrange([undefined], { at: self }), arrange([undefined])]

  await t.rejects(joinThrough(itself.parts, ['/ip4/127.0.0.1/tcp/9096'], request, never), { code: 'ERR_INVALID_ARGUMENT', message: /^there is nobody to join: .* leads to this peer itself .* the same identity.json/ })
  const stopping = new AbortController()
  const joined = joinThrough(alone.parts, [], request, stopping)
  await pass(alone.clock, 1_000)
  stopping.abort(new Error('stopped'))
  await t.rejects(joined, { message: 'stopped' })

  t.equal(alone.warnings.length, 1)
})

t.test('joining can be given up', async t => {
  const { parts } = arrange([away])
  const stopping = new AbortController()

  const joined = joinThrough(parts, ['/ip4/10.0.0.1/tcp/9096'], request, stopping)
  await new Promise(setImmediate)
  stopping.abort(new Error('stopped'))

  await t.rejects(joined, { message: 'stopped' })
})
