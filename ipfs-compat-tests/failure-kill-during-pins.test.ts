import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { temporaryFolder } from './harness/folder.ts'
import { startDaemon } from './harness/kubo.ts'
import { inlineCidOf } from './harness/pins.ts'
import { peerOn } from './harness/small-peer.ts'

const rounds = Number(process.env['ROUNDS'] ?? 4)
t.setTimeout(300_000 + 120_000 * rounds)
const { signal } = new AbortController()
const killable = fileURLToPath(new URL('harness/killable-peer.ts', import.meta.url))

/** What a peer acknowledged before it was killed, which was when `answers` of its answers had been read. */
async function killedAfter (answers: number, args: readonly string[]): Promise<readonly string[]> {
  const child = spawn(process.execPath, [killable, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.split('\n').length > answers) child.kill('SIGKILL')
  })
  const [, cause] = await ended
  if (cause !== 'SIGKILL') throw new Error('the peer ended by itself')
  return text.split('\n').slice(0, -1)
}

t.test('what was acknowledged survives kill -9 in a burst of pins and unpins, in the pinset and on the daemon', async t => {
  await using daemon = await startDaemon()
  await using folder = await temporaryFolder()
  const multiaddr = `/ip4/${daemon.host}/tcp/${daemon.port}`
  const acknowledged: string[] = []

  for (let round = 0; round < rounds; round++) {
    acknowledged.push(...await killedAfter(20 + 37 * round % 150, [folder.path, multiaddr, `round${round}`]))
  }

  await using peer = await peerOn(folder.path, multiaddr)
  await Array.fromAsync(peer.tracker.recoverAll({ signal }))
  const held = new Set((await Array.fromAsync(peer.ipfs.pinLs({ signal }))).map(({ cid }) => cid.toString()))
  const wrong: string[] = []
  for (const line of acknowledged) {
    const cid = inlineCidOf(line.slice(1))
    const isWanted = line.startsWith('+')
    const isInPinset = await peer.cluster.state.get(cid) !== undefined
    if (isInPinset !== isWanted || held.has(cid.toString()) !== isWanted) wrong.push(`${line} pinset ${isInPinset} daemon ${held.has(cid.toString())}`)
  }
  t.strictSame(wrong, [])
  t.comment(`${acknowledged.length} acknowledged in ${rounds} rounds`)
})

t.test('a peer that was killed leaves the daemon nothing that nobody wants', async t => {
  await using daemon = await startDaemon()
  await using folder = await temporaryFolder()
  const multiaddr = `/ip4/${daemon.host}/tcp/${daemon.port}`
  await killedAfter(100, [folder.path, multiaddr, 'orphans'])

  await using peer = await peerOn(folder.path, multiaddr)
  for await (const { cid } of peer.tracker.recoverAll({ signal })) await peer.tracker.settled(cid, { signal })

  const orphans: string[] = []
  for await (const { cid } of peer.ipfs.pinLs({ signal })) if (await peer.cluster.state.get(cid) === undefined) orphans.push(cid.toString())
  t.strictSame(orphans.filter(cid => cid.startsWith('bafkq')), [])
})
