import t from 'tap'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { createLinks } from './links.ts'
import type { LinksComponents } from './links.ts'

const [a, b, c, stranger] = ['a', 'b', 'c', 'stranger'] as PeerId[] as [PeerId, PeerId, PeerId, PeerId]
const { signal } = new AbortController()

function linksOf (others: Partial<LinksComponents> = {}) {
  const clock = new FakeClock()
  const rpc = {
    async call (peer: PeerId) {
      return peer === b ? { peername: 'bob', peers: [a], daemon: 'B', daemonPeers: ['A'] } : await new Promise(() => {})
    }
  } as unknown as LinksComponents['rpc']
  const ipfs = { id: async () => ({ id: 'A', addresses: [], error: '' }) }
  return { clock, links: createLinks({ self: a, peername: 'alice', peerset: () => [a, b, c], connected: () => [b, stranger], ipfs, daemonPeers: async () => ['B', 'X'], rpc, clock, ...others }) }
}

t.test('each speaks for itself; one that falls silent is there without links, in time', async t => {
  const { links, clock } = linksOf()

  const asking = links.all({ signal })
  await new Promise(resolve => setImmediate(resolve))
  clock.advance(15_000)

  t.strictSame([...await asking], [
    [a, { peername: 'alice', peers: [b], daemon: 'A', daemonPeers: ['B', 'X'] }],
    [b, { peername: 'bob', peers: [a], daemon: 'B', daemonPeers: ['A'] }],
    [c, undefined]
  ])
})

t.test('a daemon that is away leaves the peer\'s own links', async t => {
  const away = async (): Promise<never> => { throw new Error('away') }
  const { links } = linksOf({ ipfs: { id: away }, daemonPeers: away })

  t.strictSame(await links.own({ signal }), { peername: 'alice', peers: [b], daemon: '', daemonPeers: [] })
})
