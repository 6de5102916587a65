import { CID } from 'multiformats/cid'
import t from 'tap'
import { codes, linksOf } from './codecs.ts'
import { decodeDagJose, encodeDagJose } from './dag-jose.ts'
import { cidOf, hashByName } from './hashes.ts'

const payload = 'AXESICjDGMg3fEBSX7_fpbBUYF4E61TXLysmLJgfGEpFG8Pu'
const link = CID.parse('bafyreibiymmmqn34ibjf7p67uwyfiyc6atvvjvzpfmtczga7dbfekg6d5y')
const signature = { protected: 'eyJhbGciOiJFUzI1NksifQ', signature: 'z7a2MvPWLsd7leOeHyfeA1OcAFC9yy5rn1HD8xCeHz3nFrwyn_Su5xXUoaIxAre3fXhGjPkVSNiCE36AKiaMng' }
const signed = { payload, signatures: [signature] }
const encrypted = { ciphertext: 'EtUsNJcKzEKdFM9DW5Ua5tVyaQRCKsAD', iv: 'DhVb9URR_o_85MOl-hCellwPTtQ_dj6d', protected: 'eyJhbGciOiJkaXIiLCJlbmMiOiJYQzIwUCJ9', tag: '-vG17pRSVB2Vycf2MZRgBA' }
const cidOfNode = (node: unknown): CID => cidOf(encodeDagJose(node), { version: 1, codec: codes['dag-jose'], hash: hashByName('sha2-256')! })

t.test('a node has the CID that Kubo gives it, flattened or not', async t => {
  t.equal(cidOfNode(signed).toString(), 'bagcqcerakbt343l44woxzlqxcfcop5w6qnynb4fklje3b6wpgmodloecg2oa')
  t.equal(cidOfNode({ payload, ...signature }).toString(), 'bagcqcerakbt343l44woxzlqxcfcop5w6qnynb4fklje3b6wpgmodloecg2oa')
  t.equal(cidOfNode(encrypted).toString(), 'bagcqceraayzgwymwtnnngj77l2uk2vtiq2kamvcqqhzj4mlhhqpctrwqs3mq')
  t.equal(cidOfNode({ ciphertext: encrypted.ciphertext, encrypted_key: 'abcd' }).toString(), 'bagcqcerartczz6rfdxsovsx23fedwmcau47cdyq7owvdprorndbdudv5rtyq')
})

t.test('what was signed is a link of the node', async t => {
  t.strictSame(decodeDagJose(encodeDagJose(signed)), { link, ...signed })
  t.strictSame(linksOf(cidOfNode(signed), encodeDagJose(signed)).map(({ cid }) => cid.toString()), [link.toString()])
  t.strictSame(decodeDagJose(encodeDagJose(encrypted)), encrypted)
})

t.test('what is no JOSE object is refused', async t => {
  for (const [node, message] of [
    [{}, 'invalid JOSE object'], [[], 'invalid JOSE object'], ['x', 'invalid JOSE object'], [{ ciphertext: 7 }, 'invalid JOSE object'],
    [{ payload: 'abc' }, /^payload is not a valid CID/], [{ payload }, 'missing required fields: signature'], [{ ...signed, protected: 'abcd' }, 'invalid JWS serialization'],
    [{ ciphertext: 'ab%d' }, 'illegal base64 data at input byte 2'], [{ ...encrypted, recipients: [{ other: 'x' }] }, 'invalid JOSE object: no such field: "other"']
  ] as const) t.throws(() => encodeDagJose(node), { message })
  for (const block of ['80', 'a0', 'a1677061796c6f616463616263', 'a1677061796c6f616443616263', 'a16a6369706865727465787407']) t.throws(() => decodeDagJose(Buffer.from(block, 'hex')), Error, block)
})
