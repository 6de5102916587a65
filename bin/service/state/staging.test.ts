import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { cidKeyText } from '../../../cluster/api/cid-key.ts'
import { pinToJson } from '../../../cluster/api/pin-json.ts'
import { temporaryFolder } from '../../../ipfs-compat-tests/harness/folder.ts'
import { cidOf, pinOf } from '../../../ipfs-compat-tests/harness/pins.ts'
import { openStaged, stage } from './staging.ts'
import type { GivenOptions } from './staging.ts'

const { signal } = new AbortController()
const nothingGiven: GivenOptions = { min: undefined, max: undefined, allocations: undefined }
const peer = '12D3KooWMLqdhcVrfUMV2nJGHFJ9cXjoWCS3dpthsdbyZZRHixyL'

/** Lines of `state export` of ipfs-cluster-service 1.1.6, as two peers with CRDT had them. */
const madeByGo = [
  '{"replication_factor_min":-1,"replication_factor_max":-1,"name":"three","mode":"recursive","shard_size":104857600,"user_allocations":null,"expire_at":"2027-06-19T02:42:37Z","metadata":{"a":"b"},"pin_update":null,"origins":[],"cid":"QmRQ49VX8gaL7n1kv6ANUksYBDwKA4Kgazcvj1z6XdajUs","type":"pin","allocations":[],"max_depth":-1,"reference":null,"timestamp":"2026-11-22T18:42:37Z"}',
  `{"replication_factor_min":1,"replication_factor_max":1,"name":"two","mode":"recursive","shard_size":104857600,"user_allocations":null,"expire_at":"0001-01-01T00:00:00Z","metadata":null,"pin_update":null,"origins":[],"cid":"QmZRNAh9BeXKH8p1QFSCqiaoeDBf2h9Wor4VAwtPC7tYef","type":"pin","allocations":["${peer}"],"max_depth":-1,"reference":null,"timestamp":"2026-11-22T18:42:37Z"}`,
  '{"replication_factor_min":-1,"replication_factor_max":-1,"name":"","mode":"direct","shard_size":0,"user_allocations":null,"expire_at":"0001-01-01T00:00:00Z","metadata":null,"pin_update":null,"origins":[],"cid":"bafkreiaaac6ixwxxahhvdsbuw5anxcbfvzu5ovzhdr34ovqzm26mspblza","type":"pin","allocations":[],"max_depth":0,"reference":null,"timestamp":"2024-05-06T07:08:09Z"}'
]

async function staged (text: string, given = nothingGiven): Promise<readonly object[]> {
  await using folder = await temporaryFolder()
  const [path, at] = [join(folder.path, 'pins.json'), join(folder.path, 'staged')]
  await writeFile(path, text)
  await stage(at, { path, given, signal, say: () => {} })
  await using opened = await openStaged(at, { signal })
  return (await Array.fromAsync(opened.pins({ signal }))).map(({ pin }) => pinToJson(pin))
}

t.test('an export of the Go program comes out as it went in, but for the size of shards, which are not made here', async t => {
  const pins = await staged(`${madeByGo.join('\n')}\n`)

  const byCid = (lines: readonly object[]): readonly object[] => [...lines].sort((a, b) => (a as { cid: string }).cid < (b as { cid: string }).cid ? -1 : 1)
  t.strictSame(byCid(pins), byCid(madeByGo.map(line => ({ ...JSON.parse(line) as object, shard_size: 0 }))))
})

t.test('an export that was cut in the middle of a line is refused, naming the line', async t => {
  const whole = `${madeByGo.join('\n')}\n`

  for (const characters of [madeByGo[0]!.length + 2, whole.length - 20]) {
    await t.rejects(staged(whole.slice(0, characters)), { name: 'UsageError', message: /line [23]: .*; nothing was imported$/ })
  }
})

t.test('of two lines with one CID the last counts', async t => {
  t.match(await staged(`${madeByGo[1]}\n${madeByGo[1]!.replace('"two"', '"again"')}\n`), [{ name: 'again' }])
})

t.test('what is given stands for all pins, each by itself', async t => {
  t.match(await staged(madeByGo[1]!, { ...nothingGiven, max: 3 }), [{ replication_factor_min: 1, replication_factor_max: 3, allocations: [peer] }])
  t.match(await staged(madeByGo[1]!, { ...nothingGiven, min: -1, max: -1 }), [{ replication_factor_min: -1, allocations: [] }])
  await t.rejects(staged(madeByGo[0]!, { ...nothingGiven, max: 3 }), { message: /line 1: replication factors: .*got min -1 and max 3/ })
})

t.test('what was staged before is gone', async t => {
  await using folder = await temporaryFolder()
  const [path, at] = [join(folder.path, 'pins.json'), join(folder.path, 'staged')]
  for (const line of madeByGo) {
    await writeFile(path, line)
    await stage(at, { path, given: nothingGiven, signal, say: () => {} })
  }

  await using opened = await openStaged(at, { signal })

  t.equal(opened.count(), 1)
})

t.test('many pins are read in pages and told by their CIDs, though the file is opened anew on the way', async t => {
  await using folder = await temporaryFolder()
  const count = 1_501
  const lines = Array.from({ length: count }, (_, seed) => JSON.stringify(pinToJson(pinOf(seed))))
  const [path, at] = [join(folder.path, 'pins.json'), join(folder.path, 'staged')]
  await writeFile(path, lines.join('\n'))
  await stage(at, { path, given: nothingGiven, signal, say: () => {} })
  await using opened = await openStaged(at, { signal })

  for (let round = 0; round < 70; round++) { // two thousand looks each
    const keys = (await Array.fromAsync(opened.pins({ signal }))).map(({ pin }) => cidKeyText(pin.cid))
    if (round % 23 === 0) t.equal(new Set(keys).size, count)
  }

  t.equal(opened.count(), count)
  t.strictSame((await opened.missing([0, count, count - 1].map(seed => pinOf(seed)))).map(({ cid }) => cid.toString()), [cidOf(count).toString()])
})
