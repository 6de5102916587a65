import t from 'tap'
import { alertToJson, isGood, metricToJson, pingFromText, pingToText } from './metric.ts'
import type { Metric } from './metric.ts'
import type { PeerId } from './pin.ts'

const metric: Metric = {
  name: 'freespace', peer: 'a' as PeerId, value: '7', weight: 7, isValid: true, isPartitionable: false,
  receivedAtMs: 1_700_000_000_001, expireAtMs: 1_700_000_030_001
}

t.test('a metric has the keys of ipfs-cluster, its times as whole nanoseconds', async t => {
  t.equal(JSON.stringify(metricToJson(metric)),
    '{"name":"freespace","peer":"a","value":"7","expire":1700000030001000000,"valid":true,"weight":7,"partitionable":false,"received_at":1700000000001000000}')
})

t.test('an alert is the metric and when it was raised', async t => {
  const text = JSON.stringify(alertToJson({ metric, triggeredAtMs: 1_700_000_031_000 }))

  t.match(JSON.parse(text), { name: 'freespace', peer: 'a', triggered_at: '2023-11-14T22:13:51Z' })
})

t.test('a metric is good until its time is up, and never when it could not be measured', async t => {
  t.equal(isGood(metric, metric.expireAtMs - 1), true)
  t.equal(isGood(metric, metric.expireAtMs), false)
  t.equal(isGood({ ...metric, isValid: false }, metric.receivedAtMs), false)
})

t.test('a ping says who the peer is, and nonsense says nothing', async t => {
  const value = { peername: 'one', ipfsId: 'Qm', ipfsAddresses: ['/ip4/1.2.3.4/tcp/4001'], clockAtEndMs: 7 }

  t.strictSame(pingFromText(pingToText(value)), value)
  for (const text of ['', '7', 'null', '{"peer_name":7,"ipfs_addresses":"no","clock_at_end":1e300}']) {
    t.strictSame(pingFromText(text), { peername: '', ipfsId: '', ipfsAddresses: [], clockAtEndMs: undefined })
  }
})
