/** A cluster whose daemon is the proxy of another cluster. */
import t from 'tap'
import { CID } from 'multiformats/cid'
import { wideCar } from './harness/cars.ts'
import { eventually } from './harness/eventually.ts'
import { startPeer } from './harness/peer.ts'
import type { Peer } from './harness/peer.ts'
import { rpc, rpcLines, rpcResponse } from './harness/rpc.ts'

const isPinnedIn = async (peer: Peer, cid: string): Promise<boolean> => await peer.cluster.state.get(CID.parse(cid)) !== undefined
const isOnDaemon = async ({ daemon }: Peer, cid: string): Promise<boolean> => (await rpcResponse(daemon, `block/stat?arg=${cid}&offline=true`)).ok
const statusIn = async ({ rest }: Peer, cid: string): Promise<readonly string[]> => {
  const { peer_map: standings } = await (await fetch(`${rest}/pins/${cid}`)).json() as { peer_map: Record<string, { status: string }> }
  return Object.values(standings).map(({ status }) => status)
}

t.test('a peer whose daemon is another cluster\'s proxy', async t => {
  await using lower = await startPeer()
  const node = `/ip4/${lower.host}/tcp/${lower.port}`
  await using upper = await startPeer({ env: { CLUSTER_IPFSHTTP_NODEMULTIADDRESS: node, CLUSTER_IPFSPROXY_NODEMULTIADDRESS: node } })

  const [added] = await rpcLines<{ Hash: string }>(upper, 'add?cid-version=1', [{ name: 'file', content: 'added above' }])
  const { root, pieces } = wideCar(1_100, 'imported above')
  await rpc(upper, 'dag/import', [{ name: 'car', content: Buffer.concat(pieces) }])
  const [put] = await rpcLines<{ Key: string }>(lower, 'block/put', [{ name: 'block', content: 'put below' }])
  await rpc(upper, `pin/add?arg=${put!.Key}&name=above`)
  const all = [added!.Hash, root, put!.Key]

  await t.test('adds, imports and pins are pins of both, held by the daemon below', async t => {
    for (const cid of all) {
      t.strictSame([await isPinnedIn(upper, cid), await isPinnedIn(lower, cid), await isOnDaemon(lower, cid)], [true, true, true], cid)
      t.strictSame(await statusIn(upper, cid), ['pinned'], cid)
    }
    t.equal(await rpc(upper, `cat?arg=${added!.Hash}`), 'added above')
    t.equal((await lower.cluster.state.get(CID.parse(put!.Key)))?.pin.name, 'above')
  })

  await t.test('what is let go of above is let go of below, and collected through both', async t => {
    await rpc(upper, `pin/rm?arg=${added!.Hash}`)
    await eventually('the pin below is gone', async () => !await isPinnedIn(lower, added!.Hash))

    const freed = await rpcLines<{ Key: { '/': string } }>(upper, 'repo/gc')

    t.ok(freed.length > 0)
    t.notOk(await isOnDaemon(lower, added!.Hash))
    t.ok(await isOnDaemon(lower, root))
  })
})
