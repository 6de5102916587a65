import t from 'tap'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { pinOf } from '../../ipfs-compat-tests/harness/pins.ts'
import { createStore } from '../store/store.ts'
import { createPinset } from './pinset.ts'

t.test('a store of a time before there were digests has the digest of its pins, and goes on from it', async t => {
  await using folder = await temporaryFolder()
  await using store = createStore({ folder: folder.path })
  await store.start({ signal: new AbortController().signal })
  const pinset = createPinset({ store })
  await pinset.apply([{ ops: [{ kind: 'pin', pin: pinOf('a') }, { kind: 'pin', pin: pinOf('b') }], index: 1n }])
  const before = pinset.digest()
  const meta = store.table('pinset')

  await store.write(() => { meta.remove(Buffer.from('digest')) })

  t.equal(pinset.digest(), before)
  await pinset.apply([{ ops: [{ kind: 'pin', pin: pinOf('c') }], index: 2n }])
  await pinset.apply([{ ops: [{ kind: 'unpin', cid: pinOf('c').cid }], index: 3n }])
  t.equal(pinset.digest(), before)
})
