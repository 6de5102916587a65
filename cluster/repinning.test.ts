import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { cidOf, pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import { a, b, c, d, minuteMs, onTwo, RepinWorld, seedsOf } from '../ipfs-compat-tests/harness/repin-world.ts'
import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { isMisplaced } from './relocation.ts'

const { signal } = new AbortController()

t.test('a pin is misplaced when it names who is no member, or too few that are there', async t => {
  const situation = { members: new Set([a, b, c]), gone: new Set([c]), draining: new Set<PeerId>(), key: '' }

  t.equal(isMisplaced(pinOf(1, onTwo(a, b)), situation), false)
  t.equal(isMisplaced(pinOf(1, onTwo(a, c)), situation), true)
  t.equal(isMisplaced(pinOf(1, onTwo(a, b, d)), situation), true)
  t.equal(isMisplaced(pinOf(1, { replication: { min: 1, max: 3 }, allocations: [a, c] }), situation), false, 'enough are left')
  t.equal(isMisplaced(pinOf(1, { replication: { min: 1, max: 1 }, allocations: [a, c] }), situation), true, 'more than should hold it')
  t.equal(isMisplaced(pinOf(1), situation), false, 'what goes everywhere has no place')
})

t.test('what a peer held that stays away goes to others, and nothing else about the pin changes', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b, c], 1)
  const pin = pinOf(seed!, { ...onTwo(d, b), name: 'site', metadata: { k: 'v' } })
  await world.put(pin, pinOf('other', onTwo(b, c)))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.alive = [a, b, c]

  await world.pass(50_000)
  t.strictSame(await world.allocations(seed!), [d, b], 'a restart is waited for')
  await world.pass(60_000)

  t.strictSame((await world.state.get(cidOf(seed!)))?.pin, { ...pin, allocations: [b, a] })
  t.match(world.logged, [{ pin: { allocations: [b, a, d] }, ifRevision: 1n }, { pin: { allocations: [b, a] }, ifRevision: 2n }])
  t.equal(world.logged.length, 2)
})

t.test('who is gone is let off only when enough others have a copy', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b, c], 1)
  await world.put(pinOf(seed!, { replication: { min: 1, max: 1 }, allocations: [d] }))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.copying = [a, b, c]

  world.alive = [a, b, c]
  await world.pass(20 * minuteMs)
  t.match(await world.allocations(seed!), [/a|b|c/, d], 'nobody could copy it')
  t.equal(world.logged.length, 1)
  world.alive = [a, b, c, d]
  await world.pass(2 * minuteMs)
  t.strictSame(await world.allocations(seed!), [d], 'it came back with the only copy')
})

t.test('who has copied takes the place of who is gone', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b, c], 1)
  await world.put(pinOf(seed!, { replication: { min: 1, max: 1 }, allocations: [d] }))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.copying = [a, b, c]
  world.alive = [a, b, c]
  await world.pass(3 * minuteMs)

  world.copying = []
  await world.pass(6 * minuteMs)

  t.match(await world.allocations(seed!), [/a|b|c/])
  t.equal((await world.allocations(seed!))!.length, 1)
})

t.test('too few holders are made enough though nobody came or went', async t => {
  const world = new RepinWorld()
  await using repinner = world.repinner()
  await repinner.start({ signal })
  await world.pass(minuteMs)

  const [seed] = seedsOf(a, [a, b, c, d], 1)
  await world.put(pinOf(seed!, onTwo(b)))
  await world.pass(61 * minuteMs)

  t.equal((await world.allocations(seed!))!.length, 2)
})

t.test('a peer that comes back in time finds all as it was', async t => {
  const world = new RepinWorld()
  await world.put(pinOf(1, onTwo(d, b)))
  await using repinner = world.repinner()
  await repinner.start({ signal })

  for (let times = 0; times < 5; times++) {
    world.alive = [a, b, c]
    await world.pass(50_000)
    world.alive = [a, b, c, d]
    await world.pass(10_000)
  }

  t.strictSame(world.logged, [])
})

t.test('a peer that does not hear itself is there all the same', async t => {
  const world = new RepinWorld()
  await world.put(pinOf(1, onTwo(a, b)))
  await using repinner = world.repinner()
  await repinner.start({ signal })

  world.alive = [b, c, d]
  await world.pass(20 * minuteMs)

  t.strictSame(world.logged, [])
})

t.test('what a removed peer held goes to others at once', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b, c], 1)
  await world.put(pinOf(seed!, onTwo(d, b)))
  await using repinner = world.repinner()
  await repinner.start({ signal })

  world.peerset = [a, b, c]
  await world.pass(6_000)

  t.strictSame(await world.allocations(seed!), [b, a])
})

t.test('of two that are there one acts, though others are gone that would be closer', async t => {
  const world = new RepinWorld()
  const seeds = Array.from({ length: 40 }, (_, i) => i)
  await world.put(...seeds.map(seed => pinOf(seed, { replication: { min: 1, max: 1 }, allocations: [c] })))
  await using one = world.repinner(a)
  await using two = world.repinner(b)
  await one.start({ signal })
  await two.start({ signal })

  world.alive = [a, b]
  await world.pass(3 * minuteMs)

  for (const seed of seeds) t.match(await world.allocations(seed), [/a|b/])
  t.equal(world.logged.length, 2 * seeds.length, 'each once, and once to let off who is gone')
})

t.test('what the peer whose turn it is does not do is done by another in the end', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(b, [a, b, c], 1)
  await world.put(pinOf(seed!, onTwo(d, c)))
  await using repinner = world.repinner(a)
  await repinner.start({ signal })
  world.alive = [a, b, c]

  await world.pass(8 * minuteMs)
  t.strictSame(await world.allocations(seed!), [d, c])
  await world.pass(5 * minuteMs)

  t.notOk((await world.allocations(seed!))!.includes(d))
})

t.test('a pin that fails does not end it: the others are done, and it is tried again', async t => {
  const world = new RepinWorld()
  const seeds = seedsOf(a, [a, b, c], 3)
  await world.put(...seeds.map(seed => pinOf(seed, onTwo(d, b))))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.alive = [a, b, c]
  world.refuse = op => op.kind === 'pin' && op.pin.cid.equals(cidOf(seeds[0]!)) ? new ClusterError('ERR_TIMEOUT', 'too slow') : undefined

  await world.pass(2 * minuteMs)
  t.equal(world.logged.length, 4, 'each given away, then who is gone let off')
  world.refuse = () => undefined
  await world.pass(5 * minuteMs)

  t.equal(world.logged.length, 6)
  t.notOk((await world.allocations(seeds[0]!))!.includes(d))
})

t.test('who is too few to hold it leaves it, and gives it away when somebody comes', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b], 1)
  world.peerset = [a, b]
  world.alive = [a]
  await world.put(pinOf(seed!, onTwo(a, b)))
  await using repinner = world.repinner()
  await repinner.start({ signal })

  await world.pass(2 * minuteMs)
  t.strictSame(await world.allocations(seed!), [a, b])
  world.peerset = [a, b, c]
  world.alive = [a, c]
  await world.pass(12 * minuteMs)

  t.strictSame(await world.allocations(seed!), [a, c])
})

t.test('without a leader, or when the disk refuses, nothing is tried pin by pin, and all of it later', async t => {
  const world = new RepinWorld()
  const seeds = seedsOf(a, [a, b, c], 50)
  await world.put(...seeds.map(seed => pinOf(seed, onTwo(d, b))))
  await using repinner = world.repinner()
  let tries = 0
  world.leader = undefined
  world.alive = [a, b, c]
  world.refuse = () => {
    tries++
    return new ClusterError('ERR_NO_LEADER', 'no leader')
  }
  await repinner.start({ signal })

  await world.pass(2 * minuteMs)
  t.equal(tries, 0)
  world.leader = b
  await world.pass(10_000)
  t.ok(tries > 0 && tries <= 20, `${tries} tries`)
  world.refuse = () => undefined
  await world.pass(6 * minuteMs)

  t.equal(world.logged.length, 100)
})

t.test('somebody who was quicker is let have it', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b, c], 1)
  await world.put(pinOf(seed!, onTwo(d, b)))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.alive = [a, b, c]
  let isOvertaken = false
  world.refuse = () => {
    if (isOvertaken) return undefined
    isOvertaken = true
    void world.put(pinOf(seed!, { ...onTwo(b, c), name: 'theirs' }))
    return undefined
  }

  await world.pass(8 * minuteMs)

  t.match((await world.state.get(cidOf(seed!)))?.pin, { name: 'theirs', allocations: [b, c] })
  t.strictSame(world.logged, [])
})

t.test('it is done at a bounded rate', async t => {
  const world = new RepinWorld()
  const seeds = seedsOf(a, [a, b, c], 200)
  await world.put(...seeds.map(seed => pinOf(seed, onTwo(d, b))))
  await using repinner = world.repinner()
  world.peerset = [a, b, c]

  await repinner.start({ signal })
  await eventually('it has begun', () => world.logged.length > 0)
  t.equal(world.logged.length, 20)
  await world.pass(1_000)

  t.ok(world.logged.length <= 120 && world.logged.length > 60, `${world.logged.length} after a second`)
})

t.test('where it is turned off nothing moves', async t => {
  const world = new RepinWorld()
  await world.put(pinOf(1, onTwo(d, b)))
  await using repinner = world.repinner(a, { disableRepinning: true })
  world.peerset = [a, b, c]
  world.alive = [a, b, c]

  await repinner.start({ signal })
  await world.pass(5 * minuteMs)

  t.strictSame(world.logged, [])
})
