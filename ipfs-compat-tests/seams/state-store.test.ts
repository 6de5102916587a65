import { createMemoryState } from '../../cluster/state/memory-state.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { stateStoreSuite } from './state-store.ts'

stateStoreSuite('pinset', async () => {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(await temporaryFolder())
  const store = undo.use(createStore({ folder: folder.path }))
  await store.start({ signal: new AbortController().signal })
  const running = undo.move()
  return { state: createPinset({ store }), [Symbol.asyncDispose]: () => running.disposeAsync() }
})

stateStoreSuite('memory state', async () => ({ state: createMemoryState(), async [Symbol.asyncDispose] () {} }))
