/** The way from one engine to the other, by what `state export` writes and `state import` reads. */
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { exportPins, importPins } from '../bin/service/state/verbs.ts'
import { openStaged, stage } from '../bin/service/state/staging.ts'
import { raftSection } from '../cluster/consensus/config.ts'
import { createRaftConsensus } from '../cluster/consensus/raft-consensus.ts'
import { silentLogger } from '../cluster/log.ts'
import type { MemberConsensus } from '../cluster/peer-ports.ts'
import { createPinset } from '../cluster/state/pinset.ts'
import { createStore } from '../cluster/store/store.ts'
import { startEtcd, withoutEtcd } from './harness/etcd.ts'
import { startEtcdPeer } from './harness/etcd-peer.ts'
import { eventually } from './harness/eventually.ts'
import { temporaryFolder } from './harness/folder.ts'
import { muteListener } from './harness/mute-listener.ts'
import { cidOf, other, pinOf, self } from './harness/pins.ts'

t.setTimeout(1_800_000)
const { signal } = new AbortController()
/** A hundred thousand are tried by hand. */
const pinCount = Number(process.env['ETCD_MOVED_PINS'] ?? 1_000)

async function raftOn (folder: string): Promise<AsyncDisposable & { readonly consensus: MemberConsensus }> {
  const store = createStore({ folder })
  await store.start({ signal })
  const consensus = createRaftConsensus({ store, state: createPinset({ store }), applied: muteListener, self, log: silentLogger, failed (err) { throw err } }, { ...raftSection({}, {}), folder: `${folder}/raft`, found: () => true })
  await consensus.start({ signal })
  return {
    consensus,
    async [Symbol.asyncDispose] () {
      await consensus[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    }
  }
}

/** What `state export` writes. */
async function exported ({ state }: Pick<MemberConsensus, 'state'>): Promise<string> {
  const lines: string[] = []
  for await (const event of exportPins(state, { signal })) if ('pin' in event) lines.push(`${JSON.stringify(event.pin)}\n`)
  return lines.join('')
}

async function imported (text: string, consensus: MemberConsensus): Promise<void> {
  await using folder = await temporaryFolder()
  await writeFile(`${folder.path}/pins.json`, text)
  await stage(`${folder.path}/staged`, { path: `${folder.path}/pins.json`, given: { min: undefined, max: undefined, allocations: undefined }, signal, say () {} })
  await using staged = await openStaged(`${folder.path}/staged`, { signal })
  await Array.fromAsync(importPins(consensus, staged, { signal }))
}

t.test(`${pinCount} pins move from Raft to etcd and back as they are, and what was there before goes`, { skip: withoutEtcd }, async t => {
  await using etcd = await startEtcd()
  await using first = await temporaryFolder()
  await using second = await temporaryFolder()
  await using raft = await raftOn(first.path)
  for (let i = 0; i < pinCount; i += 500) {
    await raft.consensus.log(Array.from({ length: Math.min(500, pinCount - i) }, (_, j) => ({ kind: 'pin', pin: pinOf(i + j, { metadata: { number: String(i + j) }, ...(i + j) % 3 === 0 && { expireAtMs: 4_000_000_000_000, allocations: [self, other], replication: { min: 1, max: 2 } } }) })), { signal })
  }
  await using peer = await startEtcdPeer({ endpoints: etcd.endpoints })
  await using follower = await startEtcdPeer({ endpoints: etcd.endpoints, peer: other })
  await using back = await raftOn(second.path)
  for (const { consensus } of [peer, back]) await consensus.log([{ kind: 'pin', pin: pinOf('not in it') }], { signal })

  const before = await exported(raft.consensus)
  await imported(before, peer.consensus)
  await eventually('the other peer has all', () => follower.state.digest() === peer.state.digest())
  const over = await exported(follower.consensus)
  await imported(over, back.consensus)

  t.equal(before.split('\n').length, pinCount + 1)
  t.ok(over === before)
  t.ok(await exported(back.consensus) === before)
  t.match(await back.consensus.state.get(cidOf(3)), { pin: { expireAtMs: 4_000_000_000_000, allocations: [self, other], metadata: { number: '3' } } })
})
