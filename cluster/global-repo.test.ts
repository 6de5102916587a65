import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import type { RepoStat } from './api/repo.ts'
import { collectOnAll, repoStatOfAll } from './global-repo.ts'

const third = '12D3KooWThird' as PeerId
const never = { signal: new AbortController().signal }
const peerset = (): readonly PeerId[] => [other, self, third]
const stat = (repoSize: bigint, storageMax: bigint, repoPath: string): RepoStat => ({ repoSize, storageMax, numObjects: 1n, repoPath, version: 'fs-repo@18' })
const away = new ClusterError('ERR_PEER_FAILED', 'away')
async function * noGc (): AsyncGenerator<never, void, undefined> {}

t.test('sizes are summed over those that answer, the path is this peer\'s, and no limit stays no limit', async t => {
  const unlimited = 2n ** 64n - 1n
  const ask = {
    repoGc: noGc,
    async repoStat (peer: PeerId) {
      if (peer === third) throw away
      return peer === self ? stat(10n, 100n, '/ours') : stat(5n, unlimited, '/theirs')
    }
  }

  t.strictSame(await repoStatOfAll({ self, peerset, ask }, never), { ...stat(15n, unlimited, '/ours'), numObjects: 2n })
})

t.test('when nobody answers, why this peer\'s own daemon does not is the answer', async t => {
  const ask = { repoGc: noGc, async repoStat (peer: PeerId): Promise<RepoStat> { throw peer === self ? new ClusterError('ERR_IPFS_UNREACHABLE', 'ours') : away } }

  await t.rejects(repoStatOfAll({ self, peerset, ask }, never), { code: 'ERR_IPFS_UNREACHABLE', message: 'ours' })
})

t.test('every member collects; one that fails is a line with its error, after what it had told', async t => {
  const ask = {
    repoStat: async () => stat(0n, 0n, ''),
    async * repoGc (peer: PeerId) {
      yield { key: `of ${peer}`, error: '' }
      if (peer === third) throw away
    }
  }

  const lines = await Array.fromAsync(collectOnAll({ peerset, ask }, never))

  t.strictSame(lines.filter(({ error }) => error === '').map(({ peer }) => peer).sort(), [other, self, third].sort())
  t.strictSame(lines.filter(({ error }) => error !== ''), [{ peer: third, key: '', error: 'away', isOfPeer: true }])
})

t.test('who leaves in the middle ends the collections', async t => {
  let ended = 0
  const ask = {
    repoStat: async () => stat(0n, 0n, ''),
    async * repoGc (_peer: PeerId, { signal }: { signal: AbortSignal }) {
      try {
        while (!signal.aborted) {
          yield { key: 'k', error: '' }
          await new Promise(setImmediate)
        }
      } finally {
        ended++
      }
    }
  }

  for await (const _line of collectOnAll({ peerset, ask }, never)) break

  t.equal(ended, 3)
})
