import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import type { PeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import { cleanEnv, daemonSettings, runService, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

const noKubo = daemonSettings({ host: '127.0.0.1', port: await freePort() })
const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

async function post (url: string, body?: FormData): Promise<string> {
  const response = await fetch(url, { method: 'POST', ...body && { body } })
  return await response.text()
}

function fileOf (text: string): FormData {
  const form = new FormData()
  form.append('file', new Blob([text]), 'file.txt')
  return form
}

t.test('from nothing a peer writes its files, says where it is and stops cleanly; a second start goes on where the first ended', async t => {
  const folder = join(t.testdir(), 'peer')
  const first = await start(t, folder, noKubo)

  t.match(first.out(), /wrote .*service\.json\nwrote .*identity\.json/)
  t.match(first.out(), /daemon +embedded \(no Kubo answers at \/ip4\/127\.0\.0\.1\/tcp\/\d+\)/)
  t.match(first.out(), new RegExp(`folder +${folder}`))
  t.equal(first.out().split('\ntry\n')[1]!.trim().split('\n').length, 3, 'three commands to try')
  t.strictSame([await mode(folder), await mode(join(folder, 'service.json')), await mode(join(folder, 'identity.json'))], [0o700, 0o600, 0o600])

  const { Hash } = JSON.parse(await post(`${first.proxy}/api/v0/add`, fileOf('hello')))
  const identity = await readFile(join(folder, 'identity.json'), 'utf8')
  t.match(await first.stop('SIGTERM'), { code: 0 })

  const second = await start(t, folder, { ...noKubo, CLUSTER_METRICS_PROMETHEUSENDPOINT: '/ip4/127.0.0.1/tcp/0' }, ['--stats', '--no-trust'])
  t.notMatch(second.out(), /wrote/)
  t.match(second.out(), /^Peers that this one joins through are trusted no more than others, --no-trust or not/m)
  t.match(second.out(), /pinset +1 pin\n/)
  const numbers = await (await fetch(/metrics +(\S+)/.exec(second.out())![1]!)).text()
  t.match(numbers, /^# HELP ipfscluster_pins Pins of the cluster\.\n# TYPE ipfscluster_pins gauge\nipfscluster_pins 1\n/)
  for (const [name, value] of Object.entries({ peers: 1, leader_known: 1, leading: 1, pins_pinning: 0, pins_pin_error: 0, pins_pin_add_errors: 0 })) t.match(numbers, new RegExp(`^ipfscluster_${name} ${value}$`, 'm'))
  t.match(await post(`${second.proxy}/api/v0/pin/ls?type=recursive`), new RegExp(Hash))
  t.equal(await post(`${second.proxy}/api/v0/cat?arg=${Hash}`), 'hello')
  t.equal(await readFile(join(folder, 'identity.json'), 'utf8'), identity)
  t.match(await second.stop('SIGINT'), { code: 0 })
  t.notOk((await readdir(folder)).includes('cluster.lock'))
})

t.test('a second process on the same folder is refused, naming the first', async t => {
  const folder = t.testdir()
  const peer = await start(t, folder, noKubo)

  const second = await runService(['--config', folder, 'daemon'], cleanEnv(noKubo))

  t.match(second, { code: 1, err: new RegExp(`^error: ${folder} is in use by process ${peer.child.pid}: one peer per folder`) })
  await peer.stop()
})

t.test('a request in flight does not keep the peer from stopping', async t => {
  const peer = await start(t, t.testdir(), noKubo)
  // A pin of what nobody has waits for ever.
  const waiting = post(`${peer.proxy}/api/v0/pin/add?arg=QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N1`).catch(() => 'cut')

  t.match(await peer.stop(), { code: 0 })
  await waiting
})

t.test('a second signal ends the peer at once', async t => {
  const peer = await start(t, t.testdir(), { ...noKubo, IPFS_CLUSTER_LOG_LEVEL: 'debug' })
  const upload = new ReadableStream({ start: controller => { controller.enqueue(Buffer.from('--x\r\n')) } })
  const waiting = fetch(`${peer.rest}/add`, { method: 'POST', body: upload, duplex: 'half', headers: { 'content-type': 'multipart/form-data; boundary=x' } } as RequestInit).catch(() => 'cut')
  await eventually('the upload has begun', () => peer.err().includes('"path":"/add"'))

  peer.child.kill('SIGTERM')
  await eventually('it is stopping', () => peer.err().includes('"stopping"'))

  t.match(await peer.stop('SIGINT'), { code: 130, err: /ended at once/ })
  await waiting
})

t.test('a Kubo that is configured and answers is used, and never replaced by the embedded daemon while it is away', async t => {
  const folder = t.testdir()
  const kubo = await startDaemon()
  const settings = daemonSettings(kubo)
  const first = await start(t, folder, settings)
  t.match(first.out(), new RegExp(`daemon +Kubo \\S+ at http://127.0.0.1:${kubo.port}`))
  await first.stop()
  await kubo[Symbol.asyncDispose]()

  const second = await start(t, folder, settings)

  t.match(second.out(), /The Kubo at .* does not answer; it is used as soon as it does/)
  t.notMatch(second.out(), /daemon +embedded/)
  t.match(await second.stop(), { code: 0 })
})

t.test('a Kubo that comes later gets what the embedded daemon had pinned', async t => {
  const folder = t.testdir()
  await using kubo = await startDaemon()
  const without = await start(t, folder, noKubo)
  const { Hash } = JSON.parse(await post(`${without.proxy}/api/v0/add?pin-name=mine`, fileOf('kept through the change')))
  const block = JSON.parse(await post(`${without.proxy}/api/v0/add?pin=false&raw-leaves=true`, fileOf('one block'))).Hash
  await post(`${without.proxy}/api/v0/pin/add?arg=${block}&recursive=false`)
  await without.stop()

  const withKubo = await start(t, folder, daemonSettings(kubo))

  t.match(withKubo.out(), /A Kubo answers at .*: it takes the place of the embedded daemon/)
  t.match(withKubo.out(), /All \d+ pins of the embedded daemon are in the Kubo now/)
  const kuboUrl = `http://${kubo.host}:${kubo.port}/api/v0`
  t.match(await post(`${kuboUrl}/pin/ls?arg=${Hash}&names=true`), /"Name":"mine"/)
  t.equal(await post(`${kuboUrl}/cat?arg=${Hash}`), 'kept through the change')
  t.match(await post(`${kuboUrl}/pin/ls?arg=${block}&type=direct`), /"Type":"direct"/)
  await withKubo.stop()
})

/** A peer that does not outlive its test. */
async function start (t: Test, folder: string, settings: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<PeerProcess> {
  const peer = await startPeerProcess(folder, settings, args)
  t.teardown(() => peer.child.kill('SIGKILL'))
  return peer
}
