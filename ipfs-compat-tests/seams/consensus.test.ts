import { createSoloLog } from '../../cluster/consensus/solo-log.ts'
import type { AppliedOps, StateStore } from '../../cluster/ports.ts'
import { createMemoryState } from '../../cluster/state/memory-state.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import type { Store } from '../../cluster/store/store.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { self } from '../harness/pins.ts'
import { consensusSuite } from './consensus.ts'
import type { OpenedConsensus } from './consensus.ts'

const { signal } = new AbortController()

async function openOn (folder: AsyncDisposable & { readonly path: string }, stateOn: (store: Store) => StateStore, applied: AppliedOps): Promise<OpenedConsensus> {
  const store = createStore({ folder: folder.path })
  await store.start({ signal })
  const consensus = createSoloLog({ store, state: stateOn(store), applied, self }, { trailingLogs: 1_000 })
  await consensus.start({ signal })
  const close = async (): Promise<void> => {
    await consensus[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return {
    consensus,
    async reopen (applied) {
      await close()
      return await openOn(folder, stateOn, applied)
    },
    async [Symbol.asyncDispose] () {
      await close()
      await folder[Symbol.asyncDispose]()
    }
  }
}

consensusSuite('solo log on a pinset', async applied => await openOn(await temporaryFolder(), store => createPinset({ store }), applied))
consensusSuite('solo log that replays into memory', async applied => await openOn(await temporaryFolder(), () => createMemoryState(), applied))
