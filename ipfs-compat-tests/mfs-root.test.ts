import t from 'tap'
import { startCluster } from './harness/cluster.ts'
import { eventually } from './harness/eventually.ts'
import type { RpcTarget } from './harness/rpc.ts'

const patienceMs = 120_000
t.setTimeout(1_800_000)

async function ask ({ host, port }: RpcTarget, path: string, body?: FormData): Promise<string> {
  const response = await fetch(`http://${host}:${port}/api/v0/${path}`, { method: 'POST', body: body ?? null })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return await response.text()
}
const file = (text: string): FormData => {
  const body = new FormData()
  body.append('data', new Blob([text]), 'data')
  return body
}
const rootOf = async (target: RpcTarget): Promise<string> => (JSON.parse(await ask(target, 'files/stat?arg=/')) as { Hash: string }).Hash
/** The names of the pins of the cluster, by CID. */
async function pinsOf (target: RpcTarget): Promise<ReadonlyMap<string, string>> {
  const { Keys = {} } = JSON.parse(await ask(target, 'pin/ls?type=recursive&names=true')) as { Keys?: Record<string, { Name: string }> }
  return new Map(Object.entries(Keys).map(([cid, { Name }]) => [cid, Name]))
}

t.test('the files of one peer are kept by the cluster', async t => {
  await using cluster = await startCluster(2, { settings: { CLUSTER_IPFSPROXY_PINMFSROOT: 'true' } })
  const [one, two] = cluster.peers as [typeof cluster.peers[number], typeof cluster.peers[number]]
  const mine = `mfs:${one.id}`
  const followed = async (root: string): Promise<unknown> => await eventually('the root is pinned', async () => (await pinsOf(two.proxy)).get(root) === mine, { timeoutMs: patienceMs })

  await ask(one.proxy, 'files/write?arg=/a&create=true', file('first'))
  const first = await rootOf(one.proxy)
  await followed(first)

  await t.test('another daemon holds what was written', async t => {
    t.equal(await eventually('it is there', async () => await ask(two.daemon, `cat?arg=/ipfs/${first}/a&offline=true`), { timeoutMs: patienceMs }), 'first')
  })

  await t.test('the pin follows what is written, through the proxy and past it, and the old root is let go', async t => {
    await ask(one.proxy, 'files/write?arg=/b&create=true', file('second'))
    const second = await rootOf(one.proxy)
    await followed(second)
    t.ok(await eventually('the old root is let go', async () => !(await pinsOf(one.proxy)).has(first), { timeoutMs: patienceMs }))

    await ask(one.daemon, 'files/write?arg=/c&create=true', file('third'))
    const third = await rootOf(one.proxy)
    await ask(one.proxy, 'files/flush?arg=/')
    await followed(third)
    const rootsOfOne = async (): Promise<readonly string[]> => [...await pinsOf(one.proxy)].filter(([, name]) => name.startsWith('mfs:')).map(([cid]) => cid)
    t.ok(await eventually('no root but the last is pinned', async () => String(await rootsOfOne()) === third, { timeoutMs: patienceMs }))
  })

  await t.test('it goes on after a restart, and each peer has its own', async t => {
    const before = await rootOf(one.proxy)
    await one.kill()
    await one.start()
    await ask(one.proxy, 'files/rm?arg=/a')
    const after = await rootOf(one.proxy)
    await followed(after)
    await ask(two.proxy, 'files/write?arg=/z&create=true', file('of the other'))
    const others = await rootOf(two.proxy)

    await eventually('both are pinned', async () => (await pinsOf(two.proxy)).get(others) === `mfs:${two.id}`, { timeoutMs: patienceMs })
    t.ok(await eventually('the root of before is let go', async () => !(await pinsOf(two.proxy)).has(before), { timeoutMs: patienceMs }))
    t.equal((await pinsOf(two.proxy)).get(after), mine)
  })

  await t.test('empty files leave no pin', async t => {
    await ask(one.proxy, 'files/rm?arg=/b&arg=/c&recursive=true')

    t.ok(await eventually('the pin is gone', async () => ![...(await pinsOf(two.proxy)).values()].includes(mine), { timeoutMs: patienceMs }))
  })
})
