import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import type { Metric } from './api/metric.ts'
import type { PeerId } from './api/pin.ts'
import type { Logger } from './log.ts'
import { silentLogger } from './log.ts'
import { createMeasuredNames } from './measured-names.ts'

const never = { signal: new AbortController().signal }

async function said (metricNames: readonly string[], measured: Readonly<Record<string, readonly PeerId[]>>): Promise<readonly string[]> {
  const lines: string[] = []
  const log: Logger = { ...silentLogger, warn: (message, fields) => { lines.push(`${String(fields!['metric'])}: ${message}`) } }
  const latest = (name: string): readonly Metric[] => (measured[name] ?? []).map(peer => ({ peer, name }) as Metric)
  await createMeasuredNames({ self, allocator: { metricNames }, monitor: { latest }, log }).start(never)
  return lines
}

t.test('a metric that pins are allocated by and nobody measures, or this peer does not, is said once each; what all measure is not', async t => {
  const lines = await said(['tag:room', 'tag:rack', 'freespace'], { 'tag:rack': [other], freespace: [self, other] })

  t.match(lines, [/^tag:room: nobody measures .*no peer can be given one/, /^tag:rack: this peer does not measure .*it is given none/])
  t.equal(lines.length, 2)
})
