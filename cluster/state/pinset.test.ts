import t from 'tap'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { pinOf } from '../../ipfs-compat-tests/harness/pins.ts'
import { storedFormat } from '../store/format.ts'
import { createStore } from '../store/store.ts'
import { createPeerStore, stateFormat } from './peer-store.ts'
import { createPinset } from './pinset.ts'

const { signal } = new AbortController()

t.test('a state of a time before there were digests is given the digest of its pins when it is opened, and goes on from it', async t => {
  await using folder = await temporaryFolder()
  let before: bigint
  {
    await using old = createStore({ folder: folder.path })
    await old.start({ signal })
    const pinset = createPinset({ store: old })
    await pinset.apply([{ ops: [{ kind: 'pin', pin: pinOf('a') }, { kind: 'pin', pin: pinOf('b') }], index: 1n }])
    before = pinset.digest()
    const meta = old.table('pinset')
    await old.write(() => { meta.remove(Buffer.from('digest')) })
  }
  t.equal(await storedFormat(folder.path), 1)

  await using store = createPeerStore({ folder: folder.path })
  await store.start({ signal })

  const pinset = createPinset({ store })
  t.equal(pinset.digest(), before)
  t.equal(await storedFormat(folder.path), stateFormat, 'read while another has it open')
  await pinset.apply([{ ops: [{ kind: 'pin', pin: pinOf('c') }], index: 2n }])
  await pinset.apply([{ ops: [{ kind: 'unpin', cid: pinOf('c').cid }], index: 3n }])
  t.equal(pinset.digest(), before)
})

t.test('a folder without a store has no format', async t => {
  await using folder = await temporaryFolder()

  t.equal(await storedFormat(folder.path), undefined)
})
