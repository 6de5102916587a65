import t from 'tap'
import { createGroup } from './group.ts'
import { createLonePeer, electionTicks, entryOf, run, snapshotAt } from './lone-peer.ts'
import { RaftCore } from '../core/raft.ts'
import { entryBytes } from '../core/entries.ts'
import { MemoryLog } from '../replay/memory-log.ts'
import type { Entry, RaftCoreConfig } from '../core/types.ts'

const conf = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }

/** A single voter that starts on a log of 1,000-byte entries, all committed. */
function restarted (count: number, config: Partial<RaftCoreConfig>): { readonly core: RaftCore, readonly log: MemoryLog } {
  const log = new MemoryLog(() => snapshotAt(1, 1, conf))
  log.applySnapshot(snapshotAt(1, 1, conf))
  log.append(Array.from({ length: count }, (_, at) => entryOf(at + 2, 1, 1_000)))
  log.setHardState({ term: 1, vote: 1, commit: count + 1 })
  return { log, core: new RaftCore({ id: 1, log, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, applied: 1, ...config }) }
}

t.test('appends are cut at their bound, and together hold everything', async t => {
  const group = createGroup({ settings: { messageBytesMax: 2_048 } })
  const sizes: number[] = []
  group.drop = ({ type, from, to, entries }) => {
    if (type === 'MsgApp' && to === 2) sizes.push(entries.reduce((sum, { data }) => sum + data.length, 0))
    return from === 3 || to === 3
  }
  group.campaign(1)
  group.cut(2)
  for (let at = 0; at < 10; at++) group.propose(1, 1_000 - 5)
  group.settle()
  group.heal()
  group.pass(3)

  t.ok(Math.max(...sizes) <= 2_048)
  t.ok(Math.max(...sizes) >= 2_000, 'and filled')
  t.equal(group.status(2).lastIndex, 11)
})

t.test('what is to be applied is handed out page by page, nothing twice and nothing left out', async t => {
  for (const applyingBytesMax of [1, 1_500, 3_200, 1_000_000]) {
    const { core } = restarted(10, { limits: { applyingBytesMax } })
    const pages: Array<readonly number[]> = []
    while (core.hasReady()) {
      pages.push(core.ready().committedEntries.map(({ index }) => index))
      core.advance()
    }

    t.strictSame(pages.flat(), Array.from({ length: 10 }, (_, at) => at + 2), 'also behind the end of storage\'s own page')
    const most = Math.max(1, Math.floor(applyingBytesMax / entryBytes(entryOf(2, 1, 1_000))))
    t.ok(pages.every(page => page.length <= most), `${applyingBytesMax} bytes`)
  }
})

t.test('with storage lanes the next page is handed out when one before it has been applied', async t => {
  const { core } = restarted(6, { asyncStorageWrites: true, limits: { applyingBytesMax: 2_100 } })
  const first = core.ready().messages.filter(({ type }) => type === 'MsgStorageApply')
  t.match(first.map(({ entries }) => entries.map(({ index }) => index)), [[2, 3]])
  t.notOk(core.hasReady())
  for (const m of first[0]?.responses ?? []) core.step(m)

  t.match(core.ready().committedEntries.map(({ index }) => index), [4, 5])
})

t.test('a peer that starts again on a log with more to apply than a page goes on where it was', async t => {
  const { core, log } = restarted(10, { applied: 5, limits: { applyingBytesMax: 3_200 } })
  const { committedEntries, hardState } = core.ready()
  t.strictSame([committedEntries.map(({ index }) => index), hardState], [[6, 7, 8], undefined])
  t.equal(log.lastIndex(), 11)
  core.advance()

  t.equal(core.status().applied, 8)
})

t.test('a peer starts again from a snapshot and the entries behind it', async t => {
  const log = new MemoryLog(() => snapshotAt(2, 1, conf))
  log.applySnapshot(snapshotAt(2, 1, { ...conf, voters: [1, 2] }))
  log.append(run(3, 1))
  log.setHardState({ term: 1, vote: 0, commit: 3 })
  const core = new RaftCore({ id: 1, log, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1 })
  const ready = core.ready()

  t.match(ready, { hardState: undefined, softState: undefined, mustSync: false, entries: [], committedEntries: [{ index: 3 }] as Entry[] })
  t.strictSame(core.status().conf.voters, [1, 2])
  core.advance()
  t.notOk(core.hasReady())
})

t.test('a new single voter: election, first entry, first proposal, each made durable before it counts', async t => {
  const peer = createLonePeer({ voters: [1] })
  peer.core.campaign()
  t.match(peer.core.status(), { role: 'candidate', term: 1 })
  peer.work()
  t.match(peer.core.status(), { role: 'leader', term: 1, commit: 1 })
  peer.core.propose([{ type: 'EntryNormal', data: Uint8Array.of(7) }])
  const ready = peer.core.ready()
  t.match(ready, { entries: [{ index: 2 }], committedEntries: [], mustSync: true })
  peer.log.append(ready.entries)
  peer.core.advance()

  t.match(peer.core.ready(), { entries: [], committedEntries: [{ index: 2, data: Uint8Array.of(7) }], mustSync: false })
})

t.test('status names the leader\'s view of every peer, and shows nobody when it does not lead', async t => {
  const peer = createLonePeer({ voters: [1, 2], learners: [3] })
  t.strictSame(peer.core.status().progress, [])
  peer.lead()
  peer.step('MsgAppResp', { from: 2, term: 1, index: 1 })

  t.match(peer.core.status(), {
    id: 1, term: 1, vote: 1, commit: 1, applied: 1, lead: 1, role: 'leader', conf: { voters: [1, 2], learners: [3] },
    progress: [{ id: 1, match: 1, next: 2, state: 'replicate' }, { id: 2, match: 1, next: 2, state: 'replicate' }, { id: 3, match: 0, state: 'probe', learner: true }]
  })
})

t.test('a read that reaches who led before is passed on to who leads now', async t => {
  const group = createGroup()
  group.campaign(1)
  group.campaign(2)
  group.spec.readAsked(5)
  group.core(1).readIndex(5)
  group.work()

  t.match(group.waiting.filter(({ type }) => type === 'MsgReadIndex'), [{ from: 1, to: 2, context: 5 }])
})
