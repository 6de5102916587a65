import t from 'tap'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import type { TrustedPeers } from '../peer-ports.ts'
import { noBookkeeping } from './raft/applier.ts'
import type { Bookkeeping } from './raft/applier.ts'
import { createTrust } from './trust.ts'

const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]

/** `c`, which has read so much of the log, and what the others answer it. */
function arrange (t: Tap, book: Partial<Bookkeeping>, answers: Readonly<Record<string, TrustedPeers>> = {}) {
  const asked: PeerId[] = []
  const parts = { book: { ...noBookkeeping, ...book } }
  const clock = new FakeClock()
  const trust = createTrust({
    self: c, clock, book: () => parts.book, ask: async peer => {
      asked.push(peer)
      if (answers[peer] === undefined) throw new Error('away')
      return answers[peer]
    }
  })
  t.teardown(async () => { await trust[Symbol.asyncDispose]() })
  return { trust, parts, asked, clock }
}
type Tap = Pick<typeof t, 'teardown'>

const members = [a, b, c].map((name, i) => ({ id: i + 1, incarnation: 1, name, address: '' }))
const conf = { ...noBookkeeping.conf, voters: [1], learners: [2, 3] }
const settled = async (): Promise<void> => { await new Promise(setImmediate) }

t.test('without a list all members may write; with one those on it, and whoever votes', async t => {
  t.ok(arrange(t, { members, conf, confIndex: 5 }).trust.mayWrite(b))
  const { trust } = arrange(t, { members, conf, trusted: [b], confIndex: 5 })

  t.strictSame([a, b, c].map(peer => trust.mayWrite(peer)), [true, true, false])
  t.strictSame(trust.told(), { everyone: false, peers: [b, a], asOf: 5 })
})

t.test('a peer that is being taken in believes nobody, then those it was told of, then its own log', async t => {
  const { trust, parts } = arrange(t, {})
  t.notOk(trust.mayWrite(a))

  trust.believe({ everyone: false, peers: [b], asOf: 9 })
  parts.book = { ...parts.book, members, conf, trusted: [a], confIndex: 2 }
  t.strictSame([a, b].map(peer => trust.mayWrite(peer)), [false, true], 'what it has read so far is old')
  trust.believe({ everyone: true, peers: [], asOf: 8 })
  t.notOk(trust.mayWrite(a), 'older news is none')
  parts.book = { ...parts.book, confIndex: 9 }
  t.strictSame([a, b].map(peer => trust.mayWrite(peer)), [true, false])
})

t.test('who speaks as a writer and is not known as one is asked about, of those that write, and not for each word', async t => {
  const { trust, asked, clock } = arrange(t, { members, conf, trusted: [a], confIndex: 5 }, { a: { everyone: false, peers: [a, b], asOf: 7 } })

  trust.doubt(b)
  trust.doubt(b)
  await settled()

  t.strictSame(asked, [a])
  t.ok(trust.mayWrite(b))
  trust.doubt(c)
  await settled()
  t.equal(asked.length, 1)
  clock.advance(2_000)
  trust.doubt(c)
  await settled()
  t.strictSame(asked, [a, a, b])
  t.notOk(trust.mayWrite(c))
})
