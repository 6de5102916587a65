/** The program itself: killed in the middle of its work, and on a disk that is full. */
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import { eventually } from './harness/eventually.ts'
import { temporaryFolder } from './harness/folder.ts'
import { startDaemon } from './harness/kubo.ts'
import { inlineCidOf } from './harness/pins.ts'
import { daemonSettings, startPeerProcess } from './harness/process.ts'
import type { PeerProcess } from './harness/process.ts'
import { mountSmallDisk, whyNoMount } from './harness/small-disk.ts'

t.setTimeout(1_800_000)

const noKubo = daemonSettings({ host: '127.0.0.1', port: await freePort() })

interface Answer { readonly status: number, readonly text: string }

async function post (url: string, body?: FormData): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', ...body && { body } })
  return { status: response.status, text: await response.text() }
}

function fileOf (text: string): FormData {
  const form = new FormData()
  form.append('file', new Blob([text]), 'file')
  return form
}

/** What the peer's `path` lists. */
async function listed (peer: PeerProcess, path: string): Promise<ReadonlySet<string>> {
  const text = await (await fetch(`${peer.rest}${path}`)).text()
  return new Set(text.split('\n').filter(line => line !== '').map(line => JSON.parse(line).cid))
}

/** The peer compares with its daemon by itself after it has started. */
async function becomePinned (peer: PeerProcess, cids: readonly string[]): Promise<void> {
  await eventually('all that was acknowledged is pinned', async () => {
    const pinned = await listed(peer, '/pins?filter=pinned')
    return cids.every(cid => pinned.has(cid))
  }, { timeoutMs: 120_000, intervalMs: 500 })
}

/** Adds and pins from several clients until the peer is gone. What was answered with 200 is told. */
async function burst (peer: PeerProcess, round: number, acknowledged: string[], killAfter: number): Promise<void> {
  let isGone = false
  const client = async (number: number): Promise<void> => {
    for (let i = 0; !isGone; i++) {
      const name = `${round} ${number} ${i}`
      const answer = number % 2 === 0
        ? await post(`${peer.proxy}/api/v0/pin/add?arg=${inlineCidOf(name).toString()}`)
        : await post(`${peer.proxy}/api/v0/add?cid-version=1`, fileOf(`file ${name}`))
      if (answer.status !== 200) throw new Error(answer.text)
      const { Hash, Pins } = JSON.parse(answer.text)
      acknowledged.push(Hash ?? Pins[0])
      if (acknowledged.length === killAfter) {
        isGone = true
        peer.child.kill('SIGKILL')
      }
    }
  }
  await Promise.allSettled(Array.from({ length: 6 }, async (_, number) => { await client(number) }))
  isGone = true
}

for (const kind of ['the embedded daemon', 'a daemon of its own'] as const) {
  t.test(`with ${kind}, every pin that was acknowledged is there after kill -9 in a burst`, async t => {
    await using folder = await temporaryFolder()
    await using daemon = kind === 'the embedded daemon' ? undefined : await startDaemon()
    const settings = daemon === undefined ? noKubo : daemonSettings(daemon)
    const acknowledged: string[] = []
    for (let round = 0; round < 3; round++) {
      const peer = await startPeerProcess(folder.path, settings)
      t.teardown(() => peer.child.kill('SIGKILL'))
      await burst(peer, round, acknowledged, acknowledged.length + 30 + 25 * round)
      await peer.stop('SIGKILL')
    }

    const peer = await startPeerProcess(folder.path, settings)
    t.teardown(() => peer.child.kill('SIGKILL'))
    const pinset = await listed(peer, '/allocations')

    t.strictSame(acknowledged.filter(cid => !pinset.has(cid)), [], `${acknowledged.length} acknowledged`)
    await becomePinned(peer, acknowledged)
    for (const cid of acknowledged.slice(-5)) t.match(await post(`${peer.proxy}/api/v0/pin/ls?arg=${cid}&type=recursive`), { status: 200 })
    t.match(await peer.stop(), { code: 0 })
  })
}

t.test('on a disk that is full a pin is refused, nothing that was acknowledged is lost, and with room again it goes on', { skip: whyNoMount() }, async t => {
  await using folder = await temporaryFolder()
  await using daemon = await startDaemon()
  const at = join(folder.path, 'disk')
  using disk = await mountSmallDisk(at, 64)
  const peer = await startPeerProcess(join(at, 'peer'), daemonSettings(daemon))
  t.teardown(() => peer.child.kill('SIGKILL'))
  const big = `meta-big=${'x'.repeat(6_000)}`
  const pin = async (name: string): Promise<Answer> => await post(`${peer.rest}/pins/${inlineCidOf(name).toString()}?${big}`)
  const acknowledged: string[] = []

  await disk.fill()
  const untilRefused = async (ask: (name: string) => Promise<Answer>, what: string): Promise<Answer> => {
    for (let i = 0; i < 3_000; i++) {
      const answer = await ask(`${what} ${i}`)
      if (answer.status !== 200) return answer
      acknowledged.push(inlineCidOf(`${what} ${i}`).toString())
    }
    throw new Error('the disk does not get full')
  }
  t.match(await untilRefused(pin, 'rest'), { status: 500, text: /"message":".*no space left/ })
  const byProxy = async (name: string): Promise<Answer> => await post(`${peer.proxy}/api/v0/pin/add?arg=${inlineCidOf(name).toString()}&name=${'n'.repeat(250)}`)
  t.match(await untilRefused(byProxy, 'proxy'), { status: 500, text: /"Message":".*no space left/ })
  t.match((await fetch(`${peer.rest}/version`)).status, 200, 'the process lives')
  await disk.free()
  t.match(await pin('room again'), { status: 200 })
  await fetch(`${peer.rest}/pins/recover`, { method: 'POST' })
  await becomePinned(peer, acknowledged)
  t.match(await peer.stop(), { code: 0 })
})
