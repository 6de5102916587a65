import t from 'tap'
import { ClusterError } from '../api/errors.ts'
import { pingFromText } from '../api/metric.ts'
import type { RepoStat } from '../api/repo.ts'
import { FakeClock } from '../clock.ts'
import { diskSection, pinQueueSection, tagsSection } from './config.ts'
import { createDiskInformer } from './disk.ts'
import { createPinQueueInformer } from './pin-queue.ts'
import { createPingInformer } from './ping.ts'
import { createTagsInformer } from './tags.ts'

const { signal } = new AbortController()
const stat: RepoStat = { repoSize: 30n, storageMax: 100n, numObjects: 0n, repoPath: '', version: '' }
const never = async (given: { readonly signal: AbortSignal }): Promise<never> => await new Promise((_resolve, reject) => { given.signal.addEventListener('abort', () => reject(given.signal.reason), { once: true }) })

/** A disk informer over a daemon that answers `stat`, and what it measures. */
async function disk (file: Readonly<Record<string, unknown>>, answer: RepoStat): Promise<unknown> {
  const asked: unknown[] = []
  const informer = createDiskInformer({ clock: new FakeClock(), ipfs: { async repoStat ({ sizeOnly }) { asked.push(sizeOnly); return answer } } }, diskSection(file, {}))
  const [measurement] = await informer.measure({ signal })
  return { ...measurement, asked }
}

t.test('free space is what StorageMax leaves, and only the size is asked for', async t => {
  t.match(await disk({}, stat), { name: 'freespace', value: '70', weight: 70, isValid: true, isPartitionable: false, ttlMs: 30_000, asked: [true] })
})

t.test('a repo that is fuller than full has no space left, which is measured and weighs nothing', async t => {
  t.match(await disk({}, { ...stat, repoSize: 101n }), { value: '0', weight: 0, isValid: true })
})

t.test('a daemon without a limit has as much as can be said', async t => {
  t.match(await disk({}, { ...stat, storageMax: 2n ** 64n - 1n }), { weight: Number.MAX_SAFE_INTEGER })
})

t.test('of sizes the smallest is the best', async t => {
  t.match(await disk({ metric_type: 'reposize' }, stat), { name: 'reposize', value: '30', weight: -30 })
})

t.test('a daemon that does not answer is an invalid metric that says why', async t => {
  const ipfs = { repoStat: async (): Promise<never> => { throw new ClusterError('ERR_IPFS_UNREACHABLE', 'no answer') } }

  const [measurement] = await createDiskInformer({ ipfs, clock: new FakeClock() }, diskSection({}, {})).measure({ signal })

  t.match(measurement, { name: 'freespace', isValid: false, weight: 0, value: 'no answer' })
})

t.test('a daemon that hangs is not waited for, and a peer that shuts down ends the waiting', async t => {
  const clock = new FakeClock()
  const informer = createDiskInformer({ clock, ipfs: { repoStat: never } }, diskSection({ metric_ttl: '8s' }, {}))
  const ending = new AbortController()

  const hung = informer.measure({ signal })
  clock.advance(2_000)
  t.match(await hung, [{ isValid: false, value: 'repo/stat took longer than 2000 ms' }])
  const ended = informer.measure({ signal: ending.signal })
  ending.abort(new Error('the peer is shutting down'))

  await t.rejects(ended, { message: 'the peer is shutting down' })
})

t.test('tags are told as they are, one metric each', async t => {
  const informer = createTagsInformer(tagsSection({}, { CLUSTER_TAGS_TAGS: 'region:eu,rack:r1' }))

  t.match(await informer.measure({ signal }), [{ name: 'tag:region', value: 'eu', isPartitionable: true, isValid: true, weight: 0 }, { name: 'tag:rack', value: 'r1' }])
})

t.test('queues are compared by the bucket', async t => {
  const weightOf = async (queued: number, bucket: number): Promise<unknown> => (await createPinQueueInformer({ tracker: { queueLength: () => queued } }, pinQueueSection({ weight_bucket_size: bucket }, {})).measure({ signal }))[0]

  t.match(await weightOf(99, 100), { name: 'pinqueue', value: '99', weight: 0 })
  t.match(await weightOf(250, 100), { value: '250', weight: -2 })
  t.match(await weightOf(250, 0), { weight: -250 })
})

t.test('a ping names the daemon as last known, and a daemon that hangs does not make its peer look dead', async t => {
  const clock = new FakeClock()
  let isHung = false
  const ipfs = { id: async (given: { readonly signal: AbortSignal }) => isHung ? await never(given) : { id: 'daemon', addresses: ['/ip4/1.2.3.4/tcp/4001'], error: '' } }
  const informer = createPingInformer({ ipfs, clock, aheadMs: () => 0 }, { peername: 'one', monitorPingInterval: 15_000 })
  const [first] = await informer.measure({ signal })
  isHung = true

  const pending = informer.measure({ signal })
  clock.advance(1_000)
  const [second] = await pending

  t.match(first, { name: 'ping', isValid: true, ttlMs: 30_000 })
  t.strictSame(pingFromText(first!.value), { peername: 'one', ipfsId: 'daemon', ipfsAddresses: ['/ip4/1.2.3.4/tcp/4001'], clockAtEndMs: 30_000 })
  t.strictSame(second, { ...first, value: first!.value.replace('30000', '31000') })
})

t.test('a clock that is out of step is a metric that has gone bad, until it is in step again', async t => {
  let aheadMs = 0
  const ipfs = { id: async () => ({ id: '', addresses: [], error: '' }) }
  const informer = createPingInformer({ ipfs, clock: new FakeClock(), aheadMs: () => aheadMs }, { peername: 'one', monitorPingInterval: 15_000 })
  const clockOf = async () => (await informer.measure({ signal })).find(({ name }) => name === 'clock')

  t.equal(await clockOf(), undefined)
  aheadMs = 3_600_000
  t.match(await clockOf(), { isValid: false, value: 'this machine\'s clock is 3600 s ahead of the other peers\'' })
  aheadMs = -90_000
  t.match(await clockOf(), { isValid: false, value: /90 s behind/ })
  aheadMs = 0
  t.match(await clockOf(), { isValid: true, value: 'in step' })
})

t.test('the sections are the Go program\'s', async t => {
  t.match([diskSection, tagsSection, pinQueueSection].map(section => section({}, {})), [
    { metricTtl: 30_000, metricType: 'freespace' }, { metricTtl: 30_000, tags: { group: 'default' } }, { metricTtl: 30_000, weightBucketSize: 100_000 }
  ])
  t.throws(() => diskSection({ metric_type: 'size' }, {}), { message: /informer\.disk\.metric_type: expected one of freespace, reposize/ })
  t.throws(() => tagsSection({ tags: {} }, {}), { message: /informer\.tags\.tags: expected at least one/ })
  t.throws(() => tagsSection({ tags: Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`tag ${i}`, ''])) }, {}), { message: /tags: expected at least one, at most 48/ })
  t.throws(() => tagsSection({ tags: { group: 'x'.repeat(201) } }, {}), { message: /tags: expected names and values of at most 200 characters/ })
  t.throws(() => diskSection({ metric_ttl: '25h' }, {}), { message: /metric_ttl: expected a duration of at most 24h/ })
})
