import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { onePeer } from '../ipfs-compat-tests/harness/one-peer.ts'
import { cidOf, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import { silentLogger } from './log.ts'
import { createUpkeep } from './upkeep.ts'

const { signal } = new AbortController()
const minuteMs = 60_000

t.test('expired pins go by themselves', async t => {
  await using peer = await onePeer()
  await using upkeep = createUpkeep({ ...peer, agreedMs: () => peer.clock.now(), self, log: silentLogger }, { stateSyncInterval: minuteMs, pinRecoverInterval: 0 })
  await upkeep.start({ signal })
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a', { expireAtMs: 1_000 }) }], { signal })

  peer.clock.advance(minuteMs)

  await eventually('the pin is gone', async () => await peer.cluster.state.get(cidOf('a')) === undefined)
  t.pass('gone')
})

t.test('what somebody unpinned on the daemon is pinned again by itself', async t => {
  await using peer = await onePeer()
  await using upkeep = createUpkeep({ ...peer, agreedMs: () => peer.clock.now(), self, log: silentLogger }, { stateSyncInterval: 0, pinRecoverInterval: minuteMs })
  await upkeep.start({ signal })
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  await peer.tracker.settled(cidOf('a'), { signal })
  peer.ipfs.unpinDirectly(cidOf('a'))

  await eventually('it is back', () => {
    peer.clock.advance(minuteMs)
    return peer.ipfs.has(cidOf('a'))
  })
  t.pass('back')
})

t.test('what failed is tried again by itself, and a task that fails is no reason to stop', async t => {
  await using peer = await onePeer()
  await using upkeep = createUpkeep({ ...peer, agreedMs: () => peer.clock.now(), self, log: silentLogger }, { stateSyncInterval: minuteMs, pinRecoverInterval: minuteMs })
  await upkeep.start({ signal })
  peer.ipfs.setAway(true)
  await peer.consensus.log([{ kind: 'pin', pin: pinOf('a') }], { signal })
  await peer.tracker.settled(cidOf('a'), { signal })
  for (let minute = 0; minute < 5; minute++) {
    peer.clock.advance(minuteMs)
    await new Promise(resolve => setImmediate(resolve))
  }

  peer.ipfs.setAway(false)

  await eventually('it is pinned', () => {
    peer.clock.advance(15_000)
    return peer.ipfs.has(cidOf('a'))
  })
  t.pass('pinned')
})

t.test('its end is the end of all its tasks', async t => {
  await using peer = await onePeer()
  const upkeep = createUpkeep({ ...peer, agreedMs: () => peer.clock.now(), self, log: silentLogger }, { stateSyncInterval: minuteMs, pinRecoverInterval: minuteMs })
  await upkeep.start({ signal })

  await upkeep[Symbol.asyncDispose]()

  t.pass('ended')
})
