import t from 'tap'
import { lookedAt, never, other, self, turn } from '../ipfs-compat-tests/harness/looked-at.ts'
import type { LookedAt } from '../ipfs-compat-tests/harness/looked-at.ts'
import { NotEnoughPeersError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { createDestinations, isPlaceablePromptly, placePromptly, putPromptly } from './destinations.ts'
import type { Destinations } from './destinations.ts'
import { explainPlacement, placePin } from './placement.ts'
import type { PlacementWish, Placer } from './placer.ts'

const { signal } = new AbortController()

interface Parts extends LookedAt { readonly destinations: Destinations }

/** `answer` is what a peer does when it is looked at. */
function destinationsThat (answer: () => Promise<unknown>): Parts {
  const looked = lookedAt(answer)
  return Object.assign(looked, { destinations: createDestinations({ clock: looked.clock, peerset: () => looked.members, look: looked.look }) })
}

t.test('who hangs is given up within a second where another can be chosen, and waited for where none can', async t => {
  const { destinations, pass } = destinationsThat(never)
  const [replaceable, only] = [true, false].map(yes => destinations.watch(other, { signal, isReplaceable: () => yes }))

  await pass(750)
  t.notOk(replaceable!.signal.aborted)
  t.strictSame([...destinations.overdue()], [])
  await pass(250)

  t.match(replaceable!.signal.reason, { code: 'ERR_PEER_FAILED', message: 'other or its daemon has not answered for 750 ms' })
  t.strictSame([...destinations.overdue()], [other])
  t.ok(destinations.watch(other, { signal, isReplaceable: () => true }).signal.aborted)
  await pass(60_000)
  t.notOk(only!.signal.aborted)
  await destinations[Symbol.asyncDispose]()
})

t.test('who answers is waited for, however slow it is, and a pause of this peer\'s own is not held against it', async t => {
  const slow = destinationsThat(async () => {})
  const paused = destinationsThat(never)
  const waits = [slow, paused].map(({ destinations }) => destinations.watch(other, { signal, isReplaceable: () => true }))

  await Promise.all([slow.pass(60_000), paused.pass(250)])
  paused.clock.advance(60_000)
  await turn()

  for (const wait of waits) t.notOk(wait.signal.aborted)
  for (const { destinations } of [slow, paused]) await destinations[Symbol.asyncDispose]()
})

t.test('what is held quickly costs no look; who is overdue is looked at until it answers or is no member any more', async t => {
  const { destinations, pass, looks } = destinationsThat(async () => {})
  destinations.watch(other, { signal, isReplaceable: () => true })[Symbol.dispose]()
  await pass(10_000)
  t.equal(looks(), 0)
  const broken = destinationsThat(async () => { throw new Error('connection refused') })

  broken.destinations.watch(other, { signal, isReplaceable: () => true })[Symbol.dispose]()
  broken.destinations.watch(self, { signal, isReplaceable: () => true })
  await broken.pass(250)
  t.strictSame([...broken.destinations.overdue()], [self])
  broken.answer = async () => {}
  await broken.pass(500)

  t.strictSame([...broken.destinations.overdue()], [])
  for (const parts of [destinations, broken.destinations]) await parts[Symbol.asyncDispose]()
})

t.test('this peer\'s own daemon is given up before it was told what to pin, and not after; another peer sees to its daemon itself', async t => {
  const { destinations, pass } = destinationsThat(never)
  const put = putPromptly({ self, destinations, put: async (_peer, _blocks, _roots, { signal }) => await new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) }) })
  const nothing = { async * [Symbol.asyncIterator] () {} }
  const ending = new AbortController()
  const ended: string[] = []
  const putting = [[self, Promise.resolve([])], [self, new Promise<never>(() => {})], [other, Promise.resolve([])]] as const
  const all = putting.map(async ([peer, roots], i) => await put(peer, nothing, roots, { delivery: '', signal: ending.signal, isReplaceable: () => true }).catch(err => { ended.push(`${i} ${(err as Error).message}`) }))

  await pass(1_000)

  t.strictSame(ended.map(one => one.slice(0, 1)).sort(), ['1', '2'])
  ending.abort(new Error('enough'))
  await Promise.all(all)
  t.equal(ended.at(-1), '0 enough')
  await destinations[Symbol.asyncDispose]()
})

/** Places among these, the first best; nobody is measured. */
function placerAmong (...peers: readonly PeerId[]): Placer {
  const question = ({ without = [], ...wish }: PlacementWish) => ({ ...wish, self, peerset: peers.filter(peer => !without.includes(peer)) })
  return { place: wish => placePin(question(wish)), explain: wish => explainPlacement(question(wish)) }
}

t.test('who is overdue is passed over, unless fewer could be chosen then', async t => {
  const [a, b, c] = ['a', 'b', 'c'] as unknown as readonly [PeerId, PeerId, PeerId]
  const wish = (min: number, max: number, holders: readonly PeerId[] = []): PlacementWish => ({ replication: { min, max }, holders, wanted: [] })
  const choosing = { placer: placerAmong(a, b, c), destinations: { overdue: () => new Set([a]) } }

  t.strictSame(placePromptly(choosing, wish(1, 1)), [b])
  t.strictSame([...placePromptly(choosing, wish(1, 2))].sort(), [b, c])
  t.strictSame([...placePromptly(choosing, wish(1, 3))].sort(), [a, b, c])
  t.strictSame([...placePromptly(choosing, wish(3, 3))].sort(), [a, b, c])
  t.strictSame(placePromptly(choosing, wish(1, 1, [a])), [a], 'who has it keeps it')
  t.throws(() => placePromptly(choosing, wish(4, 4)), NotEnoughPeersError)
  t.strictSame([isPlaceablePromptly(choosing, wish(2, 2)), isPlaceablePromptly(choosing, wish(3, 3)), isPlaceablePromptly(choosing, { ...wish(1, 1), replication: 'everywhere' })], [true, false, false])
})
