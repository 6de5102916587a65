/**
 * Pins on the move in the middle of writes, with five peers of which one after another is in trouble. It takes minutes, so it is run by hand:
 * MOVES=all IPFS_BIN=/path/to/ipfs node ipfs-compat-tests/failure-moves.test.ts
 */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { startCluster } from './harness/cluster.ts'
import type { TestCluster, TestPeer } from './harness/cluster.ts'
import { canChoose, takeOut } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { contradictions, startLoad } from './harness/fault-load.ts'
import type { Told } from './harness/fault-load.ts'
import { leaderAmong } from './harness/faults.ts'
import { launchCtl, runCtl } from './harness/process.ts'
import type { LaunchedPeer, ProgramResult } from './harness/process.ts'
import { rpcLines } from './harness/rpc.ts'
import type { RpcTarget } from './harness/rpc.ts'

const skip = (process.env['MOVES'] === undefined || (process.env['IPFS_BIN'] ?? '') === '') && 'takes minutes and real Kubos: MOVES=all IPFS_BIN=/path/to/ipfs'
t.setTimeout(3_600_000)
const min = 2
const patience = { timeoutMs: 900_000, intervalMs: 1_000 }

interface World extends AsyncDisposable { readonly cluster: TestCluster, readonly peers: readonly TestPeer[], readonly told: Told }

/** Five peers, each pin on two of them. */
async function start (): Promise<World> {
  const cluster = await startCluster(5, { settings: { CLUSTER_REPLICATIONFACTORMIN: String(min), CLUSTER_REPLICATIONFACTORMAX: String(min) } })
  for (const peer of cluster.peers) await canChoose(peer, cluster.peers)
  return { cluster, peers: cluster.peers, told: new Map(), [Symbol.asyncDispose]: async () => { await cluster[Symbol.asyncDispose]() } }
}

const at = ({ rest }: TestPeer): readonly string[] => ['--host', `/ip4/127.0.0.1/tcp/${new URL(rest).port}`]
const said = ({ out, err }: ProgramResult): string => out + err
const ctl = async (peer: TestPeer, ...args: readonly string[]): Promise<ProgramResult> => await runCtl([...at(peer), ...args])
const launched = (peer: TestPeer, ...args: readonly string[]): LaunchedPeer => launchCtl([...at(peer), ...args])

interface Entry { readonly cid: string, readonly allocations: readonly string[], readonly replication_factor_min: number }

async function entriesOf ({ rest }: TestPeer): Promise<readonly Entry[]> {
  return (await (await fetch(`${rest}/allocations`)).text()).split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Entry)
}

/** How many of those pins fewer daemons hold than is agreed on. What moves while it is looked is looked at again. */
async function tooFewCopies (asked: TestPeer, daemons: readonly RpcTarget[], cids: ReadonlySet<string>): Promise<readonly string[]> {
  let suspects = cids
  for (let looks = 0; looks < 3 && suspects.size > 0; looks++) {
    const held = await Promise.all(daemons.map(async daemon => new Set((await rpcLines<{ Cid: string }>(daemon, 'pin/ls?type=recursive&stream=true')).map(({ Cid }) => Cid))))
    const needed = new Map((await entriesOf(asked)).map(({ cid, replication_factor_min: factor }) => [cid, factor]))
    suspects = new Set([...suspects].filter(cid => needed.has(cid) && held.filter(cids => cids.has(cid)).length < needed.get(cid)!))
  }
  return [...suspects]
}

/** Looks again and again, until it is ended, whether any of what was there at the beginning has too few copies. Daemons outlive their peers: they are real Kubos. */
function watching (peers: readonly TestPeer[], told: Told): { end (): Promise<readonly string[]> } {
  const [asked] = peers as [TestPeer]
  const daemons = peers.map(({ daemon }) => daemon)
  const cids = new Set([...told].filter(([, state]) => state === 'pinned').map(([cid]) => cid))
  const wrong = new Set<string>()
  let isOver = false
  const done = (async () => { while (!isOver) for (const cid of await tooFewCopies(asked, daemons, cids)) wrong.add(cid) })()
  done.catch(() => {}) // told at the end
  return {
    async end () {
      isOver = true
      await done
      return [...wrong]
    }
  }
}

async function isAsTold (peers: readonly TestPeer[], told: Told): Promise<boolean> {
  return await eventually('pinsets and daemons are as callers were told', async () => {
    const wrong = await contradictions(peers, told)
    if (wrong.length > 0) throw new Error(`${wrong.length} wrong: ${wrong.slice(0, 5).join('; ')}`)
    return true
  }, patience)
}

t.test('a drain in the middle of writes, stopped with ctrl-C, resumed, and the leader killed, moves all off the peer, which can be taken out', { skip }, async t => {
  await using world = await start()
  const { peers, told } = world
  const asked = peers[0]!
  const leader = await leaderAmong(peers)
  const drained = peers.filter(peer => peer !== asked && peer !== leader).at(-1)!
  const load = startLoad(peers.filter(peer => peer !== drained), 'drain', told)
  await load.answered(400)
  const watch = watching(peers, told)

  const first = launched(asked, 'peers', 'drain', drained.id)
  await eventually('it is agreed on', async () => (await (await fetch(`${asked.rest}/peers/${drained.id}/drain`)).json() as { readonly draining: boolean }).draining, patience)
  first.child.kill('SIGINT')
  await first.ended
  t.comment(`stopped with ctrl-C: ${String(first.child.exitCode ?? first.child.signalCode)}`)
  const again = launched(asked, 'peers', 'drain', drained.id)
  if (leader !== asked) {
    await leader.kill()
    await load.answered(50)
    await leader.start()
  } else {
    leader.pause()
    await eventually('another one leads', async () => await leaderAmong(peers) !== leader, patience)
    leader.resume()
  }
  await again.ended

  t.equal(again.child.exitCode, 0, again.err())
  t.match(again.out(), new RegExp(`${drained.id} holds no pins of its own; take it out with`))
  t.strictSame((await entriesOf(asked)).filter(({ allocations }) => allocations?.includes(drained.id)), [])
  t.ok(await takeOut(asked, drained.id))
  await load.answered(50)
  await load.end()
  t.strictSame(await watch.end(), [], 'never fewer copies than agreed on')
  const left = peers.filter(peer => peer !== drained)
  t.ok(await isAsTold(left, told))

  const others = left.filter(peer => peer !== asked)
  t.match(await ctl(asked, 'peers', 'drain', others[0]!.id), { code: 0 })
  t.match(await ctl(asked, 'peers', 'drain', others[1]!.id), { code: 0 })
  const refused = await ctl(asked, 'peers', 'drain', others[2]!.id)
  t.match([refused.code, refused.out + refused.err], [2, new RegExp(`${others[2]!.id} cannot be drained: \\w+ needs 2 peers, 1 would be left`)])
  t.ok(await isAsTold(left, told))
  t.comment(`${told.size} acknowledged`)
})

async function addTo (peer: TestPeer, holders: readonly TestPeer[], told: Told): Promise<void> {
  const form = new FormData()
  form.append('file', new Blob([randomBytes(1 << 20)]))
  const response = await fetch(`${peer.rest}/add?stream-channels=false&cid-version=1&user-allocations=${holders.map(({ id }) => id).join()}`, { method: 'POST', body: form })
  told.set((await response.json() as readonly { cid: string }[])[0]!.cid, 'pinned')
}

t.test('a rebalance in the middle of writes goes on while another peer is elected, can be stopped, and is refused while a peer comes and goes', { skip }, async t => {
  await using world = await start()
  const { peers, told } = world
  const asked = peers[0]!
  for (let i = 0; i < 40; i++) await addTo(asked, peers.slice(1, 3), told)
  const load = startLoad(peers, 'rebalance', told)
  await load.answered(20)
  const watch = watching(peers, told)

  await eventually('something would be moved', async () => /would be moved/.test((await ctl(asked, 'rebalance', '--dry-run')).out.replace(/^0 pins.*$/m, '')), patience)
  const first = launched(asked, 'rebalance', '--rate', String(1 << 30))
  await eventually('it moves', () => first.out().split('\n').length > 2 || first.child.exitCode !== null, patience)
  const leader = await leaderAmong(peers)
  if (leader !== asked) {
    leader.pause()
    await eventually('another one leads', async () => await leaderAmong(peers) !== leader, patience)
    leader.resume()
  }
  const before = first.out().split('\n').length
  await eventually('it goes on', () => first.out().split('\n').length > before + 1 || first.child.exitCode !== null, patience)
  first.child.kill('SIGINT')
  await first.ended
  t.comment(`stopped with ctrl-C: ${String(first.child.exitCode ?? first.child.signalCode)}, ${first.out().split('\n').length - 1} lines; ${first.err()}`)
  await eventually('what was under way is put back or finished', async () => (await entriesOf(asked)).every(({ allocations }) => (allocations?.length ?? 0) <= min), patience)

  const flapping = peers.filter(peer => peer !== asked).at(-1)!
  const { id } = flapping
  await flapping.kill()
  await eventually('it is refused, with who is silent', async () => new RegExp(`nothing is moved: ${id} is silent`).test(said(await ctl(asked, 'rebalance'))), patience)
  await flapping.start()
  await eventually('and for a while afterwards', async () => new RegExp(`nothing is moved: ${id} was silent`).test(said(await ctl(asked, 'rebalance'))), patience)

  await load.end()
  const last = await eventually('when all have been there for long enough it is carried out', async () => {
    const result = await ctl(asked, 'rebalance', '--rate', String(1 << 30))
    return result.code === 0 ? result : undefined
  }, patience)
  t.comment(last.out.trim().split('\n').slice(-2).join('\n'))
  t.strictSame(await watch.end(), [], 'never fewer copies than agreed on')
  t.ok(await isAsTold(peers, told))
})
