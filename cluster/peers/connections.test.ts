import type { Libp2p } from '@libp2p/interface'
import t from 'tap'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import { createIdentity } from '../config/identity.ts'
import { createConnections } from './connections.ts'

const { signal } = new AbortController()
const peer: PeerId = createIdentity().id
const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))

/** A network where every dial succeeds, each with a connection of its own. */
function parts () {
  const clock = new FakeClock()
  let dials = 0
  const libp2p = {
    getConnections: () => [],
    async dial () {
      dials++
      return { status: 'open', direction: 'outbound', addEventListener () {} }
    }
  } as unknown as Libp2p
  return { clock, dials: () => dials, connections: createConnections(libp2p, { addresses: () => [], learn () {} }, clock) }
}

t.test('a connection for what is bulky is made ahead, some time after the one for what is swift', async t => {
  const { clock, dials, connections } = parts()
  await connections.to(peer, 'swift', { signal })
  t.equal(dials(), 1)

  clock.advance(2_000)
  await turn()
  await connections.to(peer, 'bulk', { signal })

  t.equal(dials(), 2)
})

t.test('where it has been made by then there is no other, and none is made once the host has stopped', async t => {
  const [early, stopped] = [parts(), parts()]
  await Promise.all((['swift', 'bulk'] as const).map(async lane => await early.connections.to(peer, lane, { signal })))
  await stopped.connections.to(peer, 'swift', { signal })

  stopped.connections[Symbol.dispose]()
  for (const { clock } of [early, stopped]) clock.advance(60_000)
  await turn()

  t.strictSame([early.dials(), stopped.dials()], [2, 1])
})
