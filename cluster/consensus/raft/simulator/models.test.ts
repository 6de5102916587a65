import t from 'tap'
import { SimDisk } from './disk.ts'
import { createNetwork } from './network.ts'
import { createRandom } from './random.ts'
import { drawSettings } from './settings.ts'
import { parseSimulatorArgs } from './args.ts'
import { replayCommand } from './shrink.ts'
import { sampleWithin, withSampleSeconds } from './mutants/sample.ts'
import { withSection } from './mutants/evidence.ts'
import { mutate } from './mutants/mutant.ts'
import { withoutOutsideWorld } from './stubs.ts'
import type { Mutant } from './mutants/mutant.ts'
import type { Entry } from '../core/types.ts'

const conf = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const settings = drawSettings({ seed: 1, voters: 3, learners: 0, ticks: 1, profile: 'calm' })

function entry (index: number): Entry {
  return { index, term: 1, type: 'EntryNormal', data: new Uint8Array(900) }
}

t.test('a crash keeps what was synced, and of the rest a beginning', async t => {
  const lengths = new Set<number>()
  for (let seed = 0; seed < 60; seed++) {
    const disk = new SimDisk(createRandom(seed, 1), {
      base: 0, baseTerm: 0, entries: [], hard: { term: 1, vote: 0, commit: 0 }, snapshot: { meta: { index: 0, term: 0, confState: conf }, data: new Uint8Array(0) }
    })
    for (const index of [1, 2, 3, 4]) {
      disk.write({ hard: undefined, entries: [entry(index)], snapshot: undefined })
      if (index === 2) disk.sync(2)
    }
    t.equal(disk.lastIndex(), 4, 'written is seen')
    disk.crash()
    lengths.add(disk.lastIndex())
  }

  t.strictSame([...lengths].sort(), [2, 3, 4])
})

t.test('a full disk changes nothing', async t => {
  const disk = new SimDisk(createRandom(1, 1), {
    base: 0, baseTerm: 0, entries: [], hard: { term: 1, vote: 0, commit: 0 }, snapshot: { meta: { index: 0, term: 0, confState: conf }, data: new Uint8Array(0) }
  })
  disk.isFull = true

  t.equal(disk.write({ hard: { term: 9, vote: 1, commit: 0 }, entries: [entry(1)], snapshot: undefined }), false)
  t.equal(disk.lastIndex(), 0)
  t.equal(disk.initialState().hard.term, 1)
})

t.test('a network loses, doubles, delays and cuts as it is told, and nothing when calm', async t => {
  const rough = createNetwork<number>({ ...settings, loss: 0.5, duplication: 0.5, delayMost: 3, longDelay: 0 }, createRandom(1, 1), 3)
  for (let message = 0; message < 200; message++) rough.send({ from: 1, to: 2, message })
  const arrived = Array.from({ length: 20 }, (_, round) => rough.arrivals(round + 1)).flat()
  t.ok(new Set(arrived.map(({ message }) => message)).size < 150, 'lost')
  t.ok(arrived.length > new Set(arrived.map(({ message }) => message)).size, 'doubled')
  t.not(arrived.map(({ message }) => message).join(), [...arrived.map(({ message }) => message)].sort((a, b) => a - b).join(), 'out of order')

  rough.becomeCalm()
  rough.cut(1, 3)
  t.equal(rough.send({ from: 1, to: 3, message: 1 }), false)
  t.equal(rough.isOpen(3, 1), true, 'one way only')
  rough.heal()
  for (let message = 0; message < 50; message++) rough.send({ from: 1, to: 2, message })
  t.equal(rough.arrivals(21).length, 50)
})

t.test('while simulating there is no chance and no clock but the seed\'s', async t => {
  t.throws(() => withoutOutsideWorld(() => Math.random()), /random was called inside the simulation/)
  t.throws(() => withoutOutsideWorld(() => Date.now()), /called inside the simulation/)
  t.throws(() => withoutOutsideWorld(() => setTimeout(() => {}, 1)), /setTimeout was called/)
  t.type(Math.random(), 'number')
  t.type(Date.now(), 'number')
})

t.test('the command line says what it cannot take', async t => {
  t.match(parseSimulatorArgs(['--seeds', '5..9', '--nodes', '5', '--profile', 'disk']), { firstSeed: 5, lastSeed: 9, voters: 5, profile: 'disk' })
  t.match(parseSimulatorArgs(['--seeds', '7']), { firstSeed: 7, lastSeed: 7 })
  t.throws(() => parseSimulatorArgs(['--seeds', '9..5']), /--seeds: expected an integer/)
  t.throws(() => parseSimulatorArgs(['--profile', 'mild']), /--profile: expected one of/)
  t.throws(() => parseSimulatorArgs(['--nodes', '0']), /--nodes/)
})

t.test('a replay command is one that the command line takes', async t => {
  const request = { seed: 17, voters: 5, learners: 2, ticks: 33, profile: 'disk' } as const
  const result = { request, hash: '', events: 0, ticks: 0, commits: 0, elections: 0, acknowledged: 0, failure: undefined }
  const command = replayCommand({ result, without: ['loss', 'crash'] })

  const args = parseSimulatorArgs(command.split(' ').slice(command.split(' ').indexOf('--') + 1))
  t.match(args, { firstSeed: 17, lastSeed: 17, voters: 5, learners: 2, ticks: 33, profile: 'disk', without: ['loss', 'crash'] })
})

t.test('mutants: stale texts are refused, samples are steady, evidence goes between its markers', async t => {
  const mutant = (id: number): Mutant => ({ id: `M${id}`, what: '', file: 'x.ts', find: 'a + b', replace: 'a - b', killers: [{ profile: 'hostile' }] })
  t.equal(mutate('return a + b', mutant(1)), 'return a - b')
  t.throws(() => mutate('return a', mutant(1)), /M1 is stale: its text stands 0 times/)
  t.throws(() => mutate('a + b + a + b', mutant(1)), /stands 2 times/)

  const all = Array.from({ length: 60 }, (_, id) => mutant(id))
  t.strictSame(sampleWithin(all, 60), sampleWithin(all, 60))
  t.ok(sampleWithin(all, 60).length < sampleWithin(all, 240).length)
  t.equal(sampleWithin(all, 100_000).length, 60)
  t.strictSame(withSampleSeconds(['--sample', '--workers', '1']), ['--sample=300', '--workers', '1'])
  t.strictSame(withSampleSeconds(['--sample', '60']), ['--sample', '60'])
  t.throws(() => withSection('no markers', 'x'), /no section/)
})
