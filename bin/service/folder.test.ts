import { readFile, rm } from 'node:fs/promises'
import t from 'tap'
import { createIdentity } from '../../cluster/config/identity.ts'
import { initFolder, peerFolder, readFolder } from './folder.ts'

t.test('an identity from the environment is written down at init, and does without the file', async t => {
  const folder = peerFolder(t.testdir())
  const given = createIdentity()
  const env = { CLUSTER_ID: given.id, CLUSTER_PRIVATEKEY: Buffer.from(given.privateKey).toString('base64') }
  await initFolder(folder, { env, overwrites: false })

  t.equal((JSON.parse(await readFile(folder.identityJson, 'utf8')) as { id: string }).id, given.id)
  t.equal((await readFolder(folder, {})).identity.id, given.id)
  await rm(folder.identityJson)
  t.equal((await readFolder(folder, env)).identity.id, given.id)
  await t.rejects(readFolder(folder, {}), { code: 'ERR_INVALID_ARGUMENT', message: /there is no .*identity\.json; run/ })
  await t.rejects(initFolder(folder, { env: { ...env, CLUSTER_ID: createIdentity().id }, overwrites: false }), { code: 'ERR_INVALID_ARGUMENT' })
})
