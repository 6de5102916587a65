import { join } from 'node:path'
import t from 'tap'
import { startDaemon } from './harness/kubo.ts'
import { judge, readKnown } from './harness/recordings/known-differences.ts'
import { loadGroups } from './harness/recordings/recording.ts'
import { replayGroup } from './harness/recordings/replay.ts'

/** To bring it up to date: `node ipfs-compat-tests/harness/recordings/main.ts --target embedded --write ipfs-compat-tests/recordings-embedded.json` */
const known = await readKnown(join(import.meta.dirname, 'recordings-embedded.json'))
const groups = await loadGroups()

t.setTimeout(1_800_000) // some recordings are of waits, and each group waits for itself
t.jobs = 3

t.test('every listed difference is of a recording that exists', { skip: groups.length === 0 && 'the recordings are not beside this repository' }, async t => {
  const names = new Set(groups.flatMap(({ group, cases }) => cases.map(({ name }) => `${group}/${name}`)))

  t.strictSame([...Object.keys(known.notYet), ...Object.keys(known.onPurpose)].filter(name => !names.has(name)), [])
})

for (const group of groups) {
  t.test(`the embedded daemon answers as the recorded Kubo does: ${group.group}`, { buffered: true }, async t => {
    await using daemon = await startDaemon(group.daemon, 'embedded')

    for (const result of await replayGroup(group, daemon)) t.equal(judge(`${group.group}/${result.name}`, result, known), undefined, result.name)
  })
}
