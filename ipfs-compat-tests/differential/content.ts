import { base16 } from 'multiformats/bases/base16'
import { base36 } from 'multiformats/bases/base36'
import { CID } from 'multiformats/cid'
import type { Values } from '../harness/recordings/request-bytes.ts'
import { rpc, rpcLines } from '../harness/rpc.ts'
import type { RpcTarget } from '../harness/rpc.ts'

/** What is pinned before each trial, in this order. */
export const pinnedBefore: readonly { readonly cid: string, readonly query: string }[] = [
  { cid: 'D2', query: 'name=keep' },
  { cid: 'RAW1', query: '' },
  { cid: 'CBOR', query: 'name=c%3Cb%3E%26%E2%80%A8%22' },
  { cid: 'THIRD', query: 'name=direct+one&recursive=false' },
  { cid: 'D1', query: 'recursive=false' }
]

/**
 * The same blocks on both daemons, by names that requests use as placeholders: D2 holds A (the file HELLO) and B, which holds D1, which
 * holds C (the file SECOND); LACKING is a directory whose child is GONE; CBOR links to RAW1 and RAW2; BIG is a file of three leaves.
 * NOWHERE is held by nobody.
 */
export async function putContent (daemon: RpcTarget): Promise<Values> {
  const added = await rpcLines<{ readonly Name: string, readonly Hash?: string }>(daemon, 'add?pin=false', [
    { name: 'd2/a', content: 'hello world\n' }, { name: 'd2/b/c', content: 'second file\n' }, { name: 'third', content: 'third file\n' },
    { name: 'lacking/gone', content: 'gone\n' }, { name: 'big', content: 'x'.repeat(600_000) }
  ])
  const hash = (name: string): string => added.find(line => line.Name === name)!.Hash!
  const raw = await rpcLines<{ readonly Key: string }>(daemon, 'block/put', ['raw one\n', 'raw two\n', 'raw three\n'].map((content, i) => ({ name: `${i}`, content })))
  const [raw1, raw2, raw3] = raw.map(({ Key }) => Key) as [string, string, string]
  const node = JSON.stringify({ link: { '/': raw1 }, list: [{ '/': raw2 }], n: 1 })
  const { Cid: { '/': cbor } } = JSON.parse(await rpc(daemon, 'dag/put', [{ name: 'node', content: node }])) as { readonly Cid: { readonly '/': string } }
  await rpc(daemon, `block/rm?arg=${hash('lacking/gone')}`)
  const version1 = (cid: string): CID => CID.parse(cid).toV1()
  return {
    HELLO: hash('d2/a'), SECOND: hash('d2/b/c'), THIRD: hash('third'), D2: hash('d2'), D1: hash('d2/b'), BIG: hash('big'), LACKING: hash('lacking'), GONE: hash('lacking/gone'),
    RAW1: raw1, RAW2: raw2, RAW3: raw3, CBOR: cbor,
    HELLO_V1: version1(hash('d2/a')).toString(), D2_B36: version1(hash('d2')).toString(base36), RAW1_B16: version1(raw1).toString(base16), RAW1_UPPER: raw1.toUpperCase(),
    NOWHERE: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy', IDENTITY: 'bafkqabtjmrsw45a'
  }
}

/** What its files hold besides. */
export async function putFiles (daemon: RpcTarget, { D2, HELLO }: Values): Promise<void> {
  await rpc(daemon, 'files/mkdir?arg=/m')
  await rpc(daemon, `files/cp?arg=/ipfs/${D2}&arg=/m/d`)
  await rpc(daemon, `files/cp?arg=/ipfs/${HELLO}&arg=/m/hello`)
}
