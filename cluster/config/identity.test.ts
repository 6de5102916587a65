import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { createIdentity, readIdentity, writeIdentity } from './identity.ts'

/** Made by `ipfs-cluster-service init` 1.1.6 for this test, and used nowhere else. */
const madeByGo = `{"id": "12D3KooWLLd1jmoS6pRYJwNuDo8wouatDFfmcQokhCssQ1PJ9a3F", "private_key": "CAESQEu1NTWFV80loMOkfSllc1g9a//0UOsfu1L5LIGdmE75nFUUGZYEpIxp92sazQqcZYfzFvRDDCXYhgJLi80mMLY="}`

t.test('an identity is read as it was written', async t => {
  const identity = createIdentity()

  const read = readIdentity(writeIdentity(identity), {})

  t.match(identity.id, /^12D3KooW/)
  t.strictSame(read, { id: identity.id, privateKey: Buffer.from(identity.privateKey) })
})

t.test('an identity of the Go program is understood', async t => {
  t.equal(readIdentity(madeByGo, {}).id, JSON.parse(madeByGo).id)
})

t.test('an RSA identity of old is understood', async t => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const der = privateKey.export({ format: 'der', type: 'pkcs1' })
  const key = Buffer.concat([Buffer.from([0x08, 0, 0x12, der.length & 0x7f | 0x80, der.length >> 7]), der]).toString('base64')

  t.throws(() => readIdentity(JSON.stringify({ id: 'Qm', private_key: key }), {}), { message: /belongs to Qm[1-9A-Za-z]{44}, not to "Qm"/ })
})

t.test('CLUSTER_ID and CLUSTER_PRIVATEKEY stand over the file', async t => {
  const [inFile, inEnv] = [createIdentity(), createIdentity()]

  const read = readIdentity(writeIdentity(inFile), { CLUSTER_ID: inEnv.id, CLUSTER_PRIVATEKEY: Buffer.from(inEnv.privateKey).toString('base64') })

  t.equal(read.id, inEnv.id)
})

const { id, privateKey } = createIdentity()
const key = Buffer.from(privateKey).toString('base64')
for (const [why, json] of Object.entries({
  'not valid JSON': `{"id": "${id}", "private_key": "${key}"`,
  'expected the texts "id" and "private_key"': JSON.stringify({ id }),
  'private_kee: unknown key': JSON.stringify({ id, private_kee: key }),
  'private_key: expected the base64 of a libp2p Ed25519 or RSA private key': JSON.stringify({ id, private_key: key.slice(8) }),
  'id: the private key belongs to': JSON.stringify({ id: createIdentity().id, private_key: key })
})) {
  t.test(`refuses, without telling the key: ${why}`, async t => {
    t.throws(() => readIdentity(json, {}), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`^${why}`) })
    try {
      readIdentity(json, {})
    } catch (err) {
      t.notOk((err as Error).message.includes(key.slice(8, 40)))
    }
  })
}
