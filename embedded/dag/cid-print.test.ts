import { hash, randomBytes } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import t from 'tap'
import { printCid } from './cid-print.ts'

t.test('CIDs of either version are printed as multiformats prints them', async t => {
  const digests = [Buffer.alloc(32), Buffer.alloc(32, 0xff), ...Array.from({ length: 2_000 }, (_, i) => hash('sha256', String(i), 'buffer'))]
  const cids = digests.flatMap(digest => [CID.createV0(create(0x12, digest)), CID.createV1(0x70, create(0x12, digest)), CID.createV1(0x0129, create(0x12, digest))])

  t.strictSame(cids.filter(cid => printCid(cid) !== CID.decode(cid.bytes).toString()), [])
})

t.test('so are those of digests of any length', async t => {
  const cids = Array.from({ length: 129 }, (_, length) => CID.createV1(0x55, create(0x00, randomBytes(length))))

  t.strictSame(cids.filter(cid => printCid(cid) !== CID.decode(cid.bytes).toString()), [])
})
