import t from 'tap'
import { checkSnapshot, listSnapshots, openIncoming, openSnapshot, readSnapshotFile, snapshotName, writeSnapshot } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import { allKept, allLost, CrashDisk } from './testing/crash-disk.ts'

const meta = { index: 40, term: 3, confState: { voters: [1, 2], votersOutgoing: [], learners: [3], learnersNext: [], autoLeave: false } }
const kept = { head: Uint8Array.of(1, 2, 3), sessions: [[7, Uint8Array.of(9)]] as const }
const { signal } = new AbortController()
const state = Uint8Array.from({ length: 900_000 }, (_, i) => i * 7)

async function * pieces (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

async function written (): Promise<{ disk: CrashDisk, manifest: Manifest }> {
  const disk = new CrashDisk()
  return { disk, manifest: await writeSnapshot(disk, '/s', meta, kept, pieces(state), signal) }
}

async function stateOf (disk: CrashDisk, manifest: Manifest): Promise<Buffer> {
  const { state } = await openSnapshot(disk, '/s', manifest)
  return Buffer.concat(await Array.fromAsync(state))
}

t.test('what was written is read again, the bookkeeping apart', async t => {
  const { disk, manifest } = await written()

  const opened = await openSnapshot(disk, '/s', manifest)

  t.strictSame([...opened.kept.head], [1, 2, 3])
  t.strictSame([...opened.kept.sessions].map(([id, row]) => [id, [...row]]), [[7, [9]]])
  t.ok(Buffer.concat(await Array.fromAsync(opened.state)).equals(state))
  t.match(await listSnapshots(disk, '/s'), [{ meta: { index: 40, term: 3 } }])
})

t.test('the power goes at any step of writing one: it is there whole, or not there', async t => {
  const { disk: whole } = await written()
  for (let crashAtStep = 1; crashAtStep <= whole.steps + 1; crashAtStep++) {
    for (const fate of [allLost, allKept]) {
      const disk = new CrashDisk()
      disk.faults = { crashAtStep }
      const answered = await writeSnapshot(disk, '/s', meta, kept, pieces(state), signal).then(() => true, () => false)
      const after = disk.afterPowerLoss(fate)
      const found = await listSnapshots(after, '/s')
      if (answered) t.equal(found.length, 1, `step ${crashAtStep}: what was answered is there`)
      for (const manifest of found) t.ok((await stateOf(after, manifest)).equals(state), `step ${crashAtStep}`)
    }
  }
})

t.test('a transfer that was cut at any piece goes on where it stopped', async t => {
  const { disk: sender, manifest } = await written()
  const all = await Array.fromAsync(readSnapshotFile(sender, '/s', manifest, 0))
  for (let cutAfter = 0; cutAfter < all.length; cutAfter++) {
    const receiver = new CrashDisk()
    const first = await openIncoming(receiver, '/s', manifest)
    await t.rejects(first.receive((async function * () { yield * all.slice(0, cutAfter) })()), /cut off/)
    t.strictSame(await listSnapshots(receiver, '/s'), [], 'nothing is there before all is')

    const again = await openIncoming(receiver, '/s', manifest)
    await again.receive(readSnapshotFile(sender, '/s', manifest, again.have))

    if (cutAfter > 1) t.ok(again.have > 0, 'it did not begin anew')
    t.ok((await stateOf(receiver, manifest)).equals(state))
  }
})

t.test('a transfer that does not arrive as it was sent is thrown away', async t => {
  const { disk: sender, manifest } = await written()
  const receiver = new CrashDisk()
  const wrong = await Array.fromAsync(readSnapshotFile(sender, '/s', manifest, 0), bytes => Uint8Array.from(bytes))
  wrong[1]![500]! ^= 1

  const incoming = await openIncoming(receiver, '/s', manifest)
  await t.rejects(incoming.receive((async function * () { yield * wrong })()), /not the one that was sent/)

  t.equal((await openIncoming(receiver, '/s', manifest)).have, 0)
})

t.test('LR-09 rot anywhere in the file is found', async t => {
  const { disk, manifest } = await written()
  for (const at of [0, 5, 9, 300_000, manifest.bytes - 1]) {
    const rotten = disk.afterPowerLoss(allKept)
    rotten.rot(`/s/${snapshotName(meta)}`, at)
    await t.rejects(checkSnapshot(rotten, '/s', manifest), /damaged|not what/, `byte ${at}`)
  }
})
