import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readHistory, regressions, remember } from './history.ts'
import type { Figure } from './history.ts'

const figure = (peer: number, overrides: Partial<Figure> = {}): Figure =>
  ({ at: '2026-11-23T00:00:00.000Z', commit: 'abc', machine: '2 × cpu', sides: 'Kubo', title: 'cat', name: 'rate', unit: 'MB/s', bare: 100, peer, ...overrides })

t.test('a rate that has fallen by more than 15 % is a regression, one that has fallen by less is noise', async t => {
  t.match(regressions([figure(90), figure(92), figure(91), figure(70)]), [{ usual: 0.91, now: 0.7 }])
  t.strictSame(regressions([figure(90), figure(92), figure(91), figure(80)]), [])
})

t.test('a time that has grown is one, a time that has fallen is none', async t => {
  const time = (peer: number): Figure => figure(peer, { name: 'p50', unit: 'ms' })

  t.equal(regressions([time(150), time(150), time(200)]).length, 1)
  t.strictSame(regressions([time(150), time(150), time(100)]), [])
})

t.test('what no other side has is held against the limit, or stands for itself', async t => {
  const alone = (peer: number): Figure => { const { bare: _, ...rest } = figure(peer, { name: 'resident', unit: 'MiB' }); return rest }

  t.match(regressions([alone(100), alone(130)]), [{ usual: 1 / 100, now: 1 / 130 }])
  t.strictSame(regressions([{ ...alone(100), limit: 50 }, { ...alone(130), limit: 65 }]), [])
})

t.test('a first run, another machine and another pair of sides are compared with nothing', async t => {
  t.strictSame(regressions([figure(90), figure(40, { machine: '8 × cpu' }), figure(40, { sides: 'another cluster' }), figure(40, { title: 'add' })]), [])
})

t.test('what is remembered is read again, with its time, commit and machine', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'quorum-history-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'history.jsonl')

  t.strictSame(await readHistory(file), [])
  await remember([{ sides: 'Kubo', title: 'cat', name: 'rate', unit: 'MB/s', bare: 2, peer: 1 }], file)
  await remember([{ sides: 'Kubo', title: 'cat', name: 'rate', unit: 'MB/s', bare: 2, peer: 2 }], file)

  t.match(await readHistory(file), [{ at: /^20/, commit: /./, machine: /×/, title: 'cat', bare: 2, peer: 1 }, { peer: 2 }])
})
