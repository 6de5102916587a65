import t from 'tap'
import { createAddingDaemon } from './adding-daemon.ts'
import type { Requests } from './requests.ts'

const { signal } = new AbortController()
const showing = (config: unknown): Requests => ({ json: async () => config }) as unknown as Requests

t.test('a sharding threshold under the name it had before is an import setting like the others', async t => {
  const daemon = createAddingDaemon(showing({ Import: { CidVersion: 1, UnixFSHAMTDirectorySizeThreshold: null }, Internal: { UnixFSShardingSizeThreshold: '1B' } }))

  t.strictSame(await daemon.importSettings({ signal }), { CidVersion: 1, UnixFSHAMTDirectorySizeThreshold: '1B' })
})

t.test('a configuration without import settings leaves all as usual', async t => {
  t.strictSame(await createAddingDaemon(showing({ Import: null })).importSettings({ signal }), { UnixFSHAMTDirectorySizeThreshold: undefined })
})
