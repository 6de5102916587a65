import t from 'tap'
import { lookedAt, never, other, self, turn } from '../ipfs-compat-tests/harness/looked-at.ts'
import type { LookedAt } from '../ipfs-compat-tests/harness/looked-at.ts'
import type { PeerRpc } from './peer-ports.ts'
import { attentive, createPresence } from './presence.ts'
import type { Presence, Watch } from './presence.ts'

const { signal } = new AbortController()

interface Parts extends LookedAt { readonly presence: Presence, isFresh: boolean }

/** `answer` is what the other one does when it is looked at. */
function twoPeers (answer: () => Promise<unknown>): Parts {
  const looked = lookedAt(answer)
  const parts: Parts = Object.assign(looked, {
    isFresh: false,
    presence: createPresence({ self, clock: looked.clock, peerset: () => looked.members, isFresh: () => parts.isFresh, look: looked.look })
  })
  return parts
}

t.test('who waits for a peer that does not answer is let go within 2.5 s, and who comes later at once', async t => {
  const { presence, pass } = twoPeers(never)
  const first = presence.watch(other, { signal })

  await pass(2_250)
  t.notOk(first.signal.aborted)
  await pass(250)

  t.match(first.signal.reason, { code: 'ERR_PEER_FAILED', message: 'other is silent: it has not answered for 2000 ms' })
  t.match(presence.watch(other, { signal }).signal.reason, { code: 'ERR_PEER_FAILED' })
  await presence[Symbol.asyncDispose]()
})

t.test('a peer that has lately said that it is there may be busy for 10 s, and no longer than that holds', async t => {
  const [busy, gone, outdated] = [twoPeers(never), twoPeers(never), twoPeers(never)]
  for (const parts of [busy, gone, outdated]) parts.isFresh = true
  const [waits, waitsInVain, waitsForOutdated] = [busy, gone, outdated].map(({ presence }) => presence.watch(other, { signal })) as [Watch, Watch, Watch]

  busy.answer = async () => await new Promise(resolve => { busy.clock.after(9_000, () => { resolve(undefined) }) })
  await Promise.all([busy, gone, outdated].map(async ({ pass }) => { await pass(5_500) }))
  outdated.isFresh = false
  await outdated.pass(1_000)
  t.match(waitsForOutdated.signal.reason, { message: 'other is silent: it has not answered for 6000 ms' })
  t.notOk(waitsInVain.signal.aborted)
  await Promise.all([busy, gone].map(async ({ pass }) => { await pass(5_000) }))

  t.match(waitsInVain.signal.reason, { message: 'other is silent: it has not answered for 10000 ms' })
  t.notOk(waits.signal.aborted)
  for (const { presence } of [busy, gone, outdated]) await presence[Symbol.asyncDispose]()
})

t.test('a pause of this peer\'s own is not taken for the silence of another', async t => {
  const { presence, clock, pass } = twoPeers(never)
  const wait = presence.watch(other, { signal })
  await pass(500)

  clock.advance(60_000)
  await turn()

  t.notOk(wait.signal.aborted)
  await pass(1_000)
  t.match(wait.signal.reason, { code: 'ERR_PEER_FAILED' })
  await presence[Symbol.asyncDispose]()
})

t.test('a peer that is slow but there is waited for', async t => {
  const { presence, pass } = twoPeers(async () => {})
  const wait = presence.watch(other, { signal })

  await pass(60_000)

  t.notOk(wait.signal.aborted)
  await presence[Symbol.asyncDispose]()
})

t.test('what is answered quickly costs no look, and nobody is looked at that nobody waits for', async t => {
  const { presence, pass, looks } = twoPeers(async () => {})

  for (let i = 0; i < 10; i++) presence.watch(other, { signal })[Symbol.dispose]()
  await pass(60_000)

  t.equal(looks(), 0)
  await presence[Symbol.asyncDispose]()
})

t.test('a silent peer is waited for again once it answers, which is found out without anybody asking', async t => {
  const parts = twoPeers(async () => { throw new Error('connection refused') })
  const { presence, pass } = parts
  presence.watch(other, { signal })
  t.strictSame([...presence.silent()], [])
  await pass(500)
  t.match(presence.watch(other, { signal }).signal.reason, { message: 'other: connection refused' })
  t.strictSame([...presence.silent()], [other])

  parts.answer = async () => {}
  await pass(2_000)

  t.strictSame([...presence.silent()], [])
  t.notOk(presence.watch(other, { signal }).signal.aborted)
  await presence[Symbol.asyncDispose]()
})

t.test('a silent peer is waited for again as soon as it says something itself', async t => {
  const { presence, pass } = twoPeers(never)
  presence.watch(other, { signal })
  await pass(2_500)

  presence.heard(other)

  t.notOk(presence.watch(other, { signal }).signal.aborted)
  await presence[Symbol.asyncDispose]()
})

t.test('a silent peer that is removed is not looked at any more', async t => {
  const { presence, pass, looks, members } = twoPeers(async () => { throw new Error('gone') })
  presence.watch(other, { signal })
  await pass(10_000)
  t.ok(looks() > 3)

  members.pop()
  await pass(2_000)
  const before = looks()
  await pass(10_000)

  t.equal(looks(), before)
  await presence[Symbol.asyncDispose]()
})

t.test('calls, pulls and pushes end when the peer is silent; a peer never waits for itself', async t => {
  const { presence, pass } = twoPeers(never)
  const hanging = async ({ signal }: { readonly signal: AbortSignal }): Promise<never> => await new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })
  const rpc = attentive({
    call: async (_peer, _method, _argument, options) => await hanging(options),
    async * pull (_peer, _method, _argument, options) { yield await hanging(options) },
    push: async (_peer, _method, _source, options) => await hanging(options)
  } as Pick<PeerRpc, 'call' | 'pull' | 'push'>, presence)

  const call = rpc.call(other, 'Cluster.Id', undefined, { signal })
  const pull = Array.fromAsync(rpc.pull(other, 'IpfsConnector.RepoGc', undefined, { signal }))
  const push = rpc.push(other, 'IpfsConnector.ImportBlocks', (async function * () {})(), { signal })
  const waits: readonly Promise<unknown>[] = [call, pull, push]
  const ended = Promise.all(waits.map(async one => { await t.rejects(one, { message: /^other is silent/ }) }))
  await pass(2_500)
  await ended

  t.equal(presence.watch(self, { signal }).signal, signal)
  await presence[Symbol.asyncDispose]()
})
