import t from 'tap'
import { createRaftConsensus } from '../../cluster/consensus/raft-consensus.ts'
import { muteListener } from '../../cluster/consensus/apply.ts'
import { createSoloLog } from '../../cluster/consensus/solo-log.ts'
import { silentLogger } from '../../cluster/log.ts'
import type { AppliedOps } from '../../cluster/ports.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { cidOf, pinOf, self } from '../harness/pins.ts'
import { consensusSuite } from './consensus.ts'
import type { OpenedConsensus } from './consensus.ts'

const { signal } = new AbortController()

async function openOn (folder: AsyncDisposable & { readonly path: string }, applied: AppliedOps, snapshotEntries = 8_192): Promise<OpenedConsensus> {
  const store = createStore({ folder: folder.path })
  await store.start({ signal })
  const consensus = createRaftConsensus(
    { store, state: createPinset({ store }), applied, self, log: silentLogger },
    { folder: `${folder.path}/raft`, trailingLogs: 10, snapshotEntries, found: true, tickMs: 10 }
  )
  await consensus.start({ signal })
  const close = async (): Promise<void> => {
    await consensus[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return {
    consensus,
    async reopen (applied) {
      await close()
      return await openOn(folder, applied, snapshotEntries)
    },
    async [Symbol.asyncDispose] () {
      await close()
      await folder[Symbol.asyncDispose]()
    }
  }
}

consensusSuite('raft of one voter on a pinset', async applied => await openOn(await temporaryFolder(), applied))
consensusSuite('raft that drops its log every few entries', async applied => await openOn(await temporaryFolder(), applied, 20))

t.test('raft takes over the pinset of a one-voter log, revisions going on', async t => {
  const folder = await temporaryFolder()
  const store = createStore({ folder: folder.path })
  await store.start({ signal })
  const solo = createSoloLog({ store, state: createPinset({ store }), applied: muteListener, self }, { trailingLogs: 10 })
  await solo.start({ signal })
  await solo.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  const before = await solo.log([{ kind: 'pin', pin: pinOf('b') }], { signal })
  await solo[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()

  const first = await openOn(folder, muteListener)
  const after = await first.consensus.log([{ kind: 'pin', pin: pinOf('c') }], { signal })
  await using again = await first.reopen(muteListener)

  t.ok(after > before)
  t.equal((await again.consensus.state.get(cidOf('b')))?.revision, before)
  t.equal(await again.consensus.state.count(), 3)
  t.equal(again.consensus.leader(), self)
  t.strictSame(again.consensus.peerset(), [self])
})
