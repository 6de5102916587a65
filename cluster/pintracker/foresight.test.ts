import t from 'tap'
import { onePeer } from '../../ipfs-compat-tests/harness/one-peer.ts'
import type { OnePeer } from '../../ipfs-compat-tests/harness/one-peer.ts'
import { pinOf, self } from '../../ipfs-compat-tests/harness/pins.ts'

const { signal } = new AbortController()
const pin = pinOf('a')

async function peerThatPins (): Promise<OnePeer> {
  const peer = await onePeer()
  await peer.consensus.log([{ kind: 'pin', pin }], { signal })
  await peer.tracker.settled(pin.cid, { signal })
  return peer
}

t.test('what the daemon said while it was letting go of a pin is not taken for true when it is pinned anew', async t => {
  await using peer = await peerThatPins()

  peer.tracker.unpinned(pin.cid, self)
  using _foreseen = peer.tracker.foresee(pin.cid)
  await peer.tracker.settled(pin.cid, { signal })
  peer.tracker.pinned(pin, {})
  await peer.tracker.settled(pin.cid, { signal })

  t.ok(peer.ipfs.has(pin.cid))
})

t.test('nor what it said before', async t => {
  await using peer = await peerThatPins()

  using _foreseen = peer.tracker.foresee(pin.cid)
  peer.tracker.unpinned(pin.cid, self)
  await peer.tracker.settled(pin.cid, { signal })
  peer.tracker.pinned(pin, {})
  await peer.tracker.settled(pin.cid, { signal })

  t.ok(peer.ipfs.has(pin.cid))
})

t.test('what it says of a pin that nobody changes meanwhile is not asked for again', async t => {
  await using peer = await onePeer()

  using _foreseen = peer.tracker.foresee(pin.cid)
  peer.tracker.pinned(pin, {})
  await peer.tracker.settled(pin.cid, { signal })

  t.equal(peer.ipfs.questions, 1)
})
