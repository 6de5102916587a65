/** What the log's files cost beside the writes themselves. */
import t from 'tap'
import { FakeClock } from '../../clock.ts'
import { openLogStorage } from './log-storage.ts'
import { CrashDisk } from './testing/crash-disk.ts'

t.test('the next segment is made once, however many writes follow before it is needed', async t => {
  const disk = new CrashDisk()
  const created: string[] = []
  disk.faults.beforeStep = (what, path) => { if (what === 'create') created.push(path) }
  const looks = countLooks(disk)
  await using storage = await openLogStorage({ folder: '/raft', disk, clock: new FakeClock(), nodeId: 1, segmentBytes: 4_096 })
  const append = async (index: number): Promise<void> => {
    await storage.append({ entries: [{ type: 'EntryNormal', index, term: 1, data: new Uint8Array(40) }], mustSync: true })
  }
  const isPastHalf = (): boolean => created.length > 0
  created.length = 0
  let index = 0
  while (!isPastHalf()) await append(++index)
  const looksBefore = looks()

  for (const last = index + 10; index < last;) await append(++index)

  t.equal(storage.status().segments, 1, 'the next one is not in use yet')
  t.equal(looks() - looksBefore <= 1, true, 'whoever makes it looks once what is there')
  while (storage.status().segments < 3) await append(++index)
  t.equal(created.filter(path => path.includes('next')).length >= 2, true, 'and another one is made for the segment after that')
})

/** How often somebody has looked into the folder. */
function countLooks (disk: CrashDisk): () => number {
  let looks = 0
  const list = disk.list.bind(disk)
  disk.list = async folder => { looks++; return await list(folder) }
  return () => looks
}
