import t from 'tap'
import { pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import { a, b, c, d, minuteMs, onTwo, RepinWorld, seedsOf } from '../ipfs-compat-tests/harness/repin-world.ts'

const { signal } = new AbortController()

t.test('what is drained goes to others, as many as before, and stays until they have it', async t => {
  const world = new RepinWorld()
  const [seed, alone] = seedsOf(a, [a, b, c, d], 2)
  await world.put(pinOf(seed!, { replication: { min: 1, max: 2 }, allocations: [d, b] }), pinOf(alone!, { replication: { min: 1, max: 1 }, allocations: [d] }), pinOf('all'))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.copying = [a, c]

  world.draining = [d]
  await world.pass(10 * minuteMs)
  t.match(await world.allocations(seed!), [b, /a|c/, d])
  t.match(await world.allocations(alone!), [/a|b|c/, d])
  world.copying = []
  await world.pass(6 * minuteMs)

  t.match(await world.allocations(seed!), [b, /a|c/])
  t.equal((await world.allocations(seed!))!.length, 2)
  t.notOk((await world.allocations(alone!))!.includes(d))
})

t.test('where there is nobody else, enough copies let off who is drained, and the last one is kept', async t => {
  const world = new RepinWorld()
  const [enough, last] = seedsOf(a, [a, d], 2)
  world.peerset = [a, d]
  world.alive = [a, d]
  await world.put(pinOf(enough!, { replication: { min: 1, max: 2 }, allocations: [d, a] }), pinOf(last!, onTwo(d, a)))
  await using repinner = world.repinner()
  await repinner.start({ signal })

  world.draining = [d]
  await world.pass(6 * minuteMs)

  t.strictSame(await world.allocations(enough!), [a])
  t.strictSame(await world.allocations(last!), [d, a])
})

t.test('who is drained no longer keeps what it still has', async t => {
  const world = new RepinWorld()
  const [seed] = seedsOf(a, [a, b, c, d], 1)
  await world.put(pinOf(seed!, onTwo(d, b)))
  await using repinner = world.repinner()
  await repinner.start({ signal })
  world.copying = [a, c]
  world.draining = [d]
  await world.pass(2 * minuteMs)

  world.draining = []
  await world.pass(6 * minuteMs)

  t.strictSame([...(await world.allocations(seed!))!].sort(), [b, d])
})
