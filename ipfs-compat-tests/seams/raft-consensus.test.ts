import { cp, readFile, writeFile } from 'node:fs/promises'
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

t.test('alone, what the log had not synced when the power went is in the pinset all the same', async t => {
  const folder = await temporaryFolder()
  await using opened = await openOn(folder, muteListener)
  for (const name of ['a', 'b', 'c', 'd']) await opened.consensus.log([{ kind: 'pin', pin: pinOf(name) }], { signal })
  const copy = await temporaryFolder()
  await cp(folder.path, copy.path, { recursive: true })
  const lost = await loseUnsynced(`${copy.path}/raft`)

  await using again = await openOn(copy, muteListener)

  t.ok(lost > 0, 'there was something to lose')
  t.equal(await again.consensus.state.count(), 4)
  const revision = await again.consensus.log([{ kind: 'pin', pin: pinOf('e') }], { signal })
  t.ok(revision > (await again.consensus.state.get(cidOf('d')))!.revision)
})

/** Erases what lies behind the last sync, as a power loss may. */
async function loseUnsynced (folder: string): Promise<number> {
  const marks = await readFile(`${folder}/synced`)
  const syncedTo = Math.max(...[0, 512].map(at => marks.length > at + 8 ? marks.readUInt32LE(at + 4) : 0))
  const path = `${folder}/00000001.log`
  const log = await readFile(path)
  const lost = log.subarray(syncedTo).findLastIndex(byte => byte !== 0) + 1
  await writeFile(path, log.fill(0, syncedTo))
  return lost
}
