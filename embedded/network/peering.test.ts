import t from 'tap'
import { FakeClock } from '../../cluster/clock.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createPeering } from './peering.ts'
import type { Peering } from './peering.ts'

const turns = async (): Promise<void> => { for (let i = 0; i < 5; i++) await new Promise(setImmediate) }

function peeringWith (isThere: () => boolean): { readonly peering: Peering, readonly clock: FakeClock, readonly dialled: string[] } {
  const clock = new FakeClock()
  const dialled: string[] = []
  const connect = async ({ peer, addresses }: { peer: string, addresses: readonly string[] }): Promise<void> => {
    dialled.push(`${clock.now()} ${peer} ${addresses.join()}`)
    if (!isThere()) throw new Error('refused')
  }
  return { peering: createPeering({ clock, log: silentLogger, connect, random: () => 0.5 }), clock, dialled }
}

t.test('a peer is dialled when it is added, and again when it is lost', async t => {
  const { peering, clock, dialled } = peeringWith(() => true)

  peering.add({ peer: 'p', addresses: ['/x'] })
  await turns()
  peering.lost('p')
  peering.lost('p')
  clock.advance(10_000)
  await turns()

  t.strictSame(dialled, ['0 p /x', '10000 p /x'])
  await peering[Symbol.asyncDispose]()
})

t.test('attempts that fail come ever later, up to ten minutes', async t => {
  const { peering, clock, dialled } = peeringWith(() => false)
  peering.add({ peer: 'p', addresses: [] })
  for (let i = 0; i < 200; i++) {
    await turns()
    clock.advance(10_000)
  }

  const times = dialled.map(line => Number(line.split(' ')[0]))
  const delays = times.slice(1).map((time, i) => time - times[i]!)

  t.strictSame(delays.slice(0, 4), [10_000, 20_000, 40_000, 80_000])
  t.ok(delays.every(delay => delay <= 600_000))
  await peering[Symbol.asyncDispose]()
})

t.test('a peer that is removed is dialled no more, nor is anybody after the end', async t => {
  const { peering, clock, dialled } = peeringWith(() => false)
  peering.add({ peer: 'p', addresses: [] })
  peering.add({ peer: 'q', addresses: [] })
  await turns()

  peering.remove('p')
  clock.advance(20_000)
  await turns()
  await peering[Symbol.asyncDispose]()
  clock.advance(600_000)

  t.strictSame(dialled.map(line => line.split(' ')[1]), ['p', 'q', 'q'])
})

t.test('a second word on a peer changes its addresses', async t => {
  const { peering } = peeringWith(() => true)

  peering.add({ peer: 'p', addresses: ['/x'] })
  peering.add({ peer: 'p', addresses: ['/y'] })

  t.strictSame(peering.list(), [{ peer: 'p', addresses: ['/y'] }])
  await peering[Symbol.asyncDispose]()
})
