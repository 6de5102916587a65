import { join } from 'node:path'
import t from 'tap'
import { startPeer } from './harness/peer.ts'
import { judge, readKnown } from './harness/recordings/known-differences.ts'
import { loadGroups } from './harness/recordings/recording.ts'
import { replayGroup } from './harness/recordings/replay.ts'

/**
 * To bring the list up to date, with IPFS_BIN:
 * `node ipfs-compat-tests/harness/recordings/main.ts --target ipfs-compat-tests/harness/peer.ts --write ipfs-compat-tests/recordings-proxy.json`
 */
const isRealKubo = (process.env['IPFS_BIN'] ?? '') !== ''
const known = await readKnown(join(import.meta.dirname, 'recordings-proxy.json'))
/** What the embedded daemon itself answers otherwise is the business of its own test. */
const ofTheDaemon = isRealKubo ? undefined : await readKnown(join(import.meta.dirname, 'recordings-embedded.json'))
const isOfTheDaemon = (name: string): boolean => ofTheDaemon !== undefined && (name in ofTheDaemon.notYet || name in ofTheDaemon.onPurpose)
const groups = await loadGroups()

t.test(`a peer of one answers as the recorded Kubo does, in front of ${isRealKubo ? 'a real Kubo' : 'the embedded daemon'}`, { skip: groups.length === 0 && 'the recordings are not beside this repository' }, async t => {
  for (const group of groups) {
    await t.test(group.group, async t => {
      await using peer = await startPeer(group.daemon)

      for (const result of await replayGroup(group, peer)) {
        const name = `${group.group}/${result.name}`
        if (!isOfTheDaemon(name)) t.equal(judge(name, result, known), undefined, result.name)
      }
    })
  }

  t.test('every listed difference is of a recording that exists', async t => {
    const names = new Set(groups.flatMap(({ group, cases }) => cases.map(({ name }) => `${group}/${name}`)))

    t.strictSame([...Object.keys(known.notYet), ...Object.keys(known.onPurpose)].filter(name => !names.has(name)), [])
  })
})
