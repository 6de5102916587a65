/**
 * Our `ipfs-cluster-ctl` beside the Go program's: both ask one peer the same. With `CTL_BIN=/path/to/ipfs-cluster-ctl` the Go one is
 * asked, and `CTL_RECORD=1` keeps what it said; without, ours is compared with what was kept.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { freePort } from '../../cluster/consensus/raft/processes/ports.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startPeer } from '../harness/peer.ts'
import type { Peer } from '../harness/peer.ts'
import { cleanEnv } from '../harness/process.ts'
import { invocations } from './ctl-invocations.ts'
import type { CtlInvocation } from './ctl-invocations.ts'

t.setTimeout(900_000)

const go = process.env['CTL_BIN'] ?? ''
const isRecording = go !== '' && process.env['CTL_RECORD'] === '1'
const ours = join(import.meta.dirname, '..', '..', 'bin', 'ipfs-cluster-ctl.js')
const keptPath = join(import.meta.dirname, 'ctl-answers.json')
const runTimeoutMs = 120_000
const a = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'

interface Outcome { readonly code: number | null, readonly out: string }
interface Doors { readonly folder: string, readonly self: string, readonly hosts: Readonly<Record<string, string>> }

const contents: Readonly<Record<string, string>> = { 'a.txt': 'hello\n', 'lonely.txt': 'in nobody\'s pins\n', 'tree/one': 'one\n', 'tree/.hidden': 'hidden\n', 'tree/sub/b ü.txt': 'two\n' }

async function fill (folder: string): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  await symlink('one', join(folder, 'tree', 'link'))
}

/** The peer that is asked, and one that lets in only whom it knows. */
async function open (): Promise<Doors & AsyncDisposable> {
  await using undo = new AsyncDisposableStack()
  const { path: folder } = undo.use(await temporaryFolder())
  await fill(folder)
  const fixture = (name: string): string => join(import.meta.dirname, '..', 'harness', 'fixtures', name)
  const peer = undo.use(await startPeer({ env: { CLUSTER_PEERNAME: 'alice' } }))
  const guarded = undo.use(await startPeer({ env: { CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: 'alice:secret', CLUSTER_RESTAPI_SSLCERTFILE: fixture('localhost-test-only.crt'), CLUSTER_RESTAPI_SSLKEYFILE: fixture('localhost-test-only.key') } }))
  const at = ({ rest }: Peer): string => `/ip4/127.0.0.1/tcp/${new URL(rest).port}`
  const hosts = { all: at(peer), guarded: at(guarded), nobody: `/ip4/127.0.0.1/tcp/${await freePort()}` }
  const running = undo.move()
  return { folder, self: peer.cluster.self, hosts, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function run (program: readonly [string, ...string[]], line: string, { folder, self, hosts }: Doors, door: string): Promise<Outcome> {
  const words = line.split(' ').map(word => word.replaceAll('_', ' ').replaceAll('{self}', self).replaceAll('{cid}', a))
  const child = spawn(program[0], [...program.slice(1), '--host', hosts[door]!, ...words], { cwd: folder, env: cleanEnv(), stdio: ['ignore', 'pipe', 'ignore'], timeout: runTimeoutMs, killSignal: 'SIGKILL' })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  const [code] = await once(child, 'close') as [number | null]
  return { code, out }
}

/** What is not the same a moment later. */
function timeless ({ code, out }: Outcome): Outcome {
  return {
    code,
    out: out
      .replace(/^Incorrect Usage[^]*/, '') // there all of the help follows; ours says what is wrong, on the error output
      .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, '<TIME>')
      .replace(/\d+ (seconds?|minutes?|hours?) (from now|ago)|now$/gm, '<WHEN>')
      .replace(/"(expire|received_at)": \d{19}/g, '"$1": <NANOSECONDS>')
      .replace(/Attempts: \d+ \| Priority: (true|false)/g, 'Attempts: <N> | Priority: <BOOL>').replace(/"attempt_count": \d+,(\n +"priority_pin": )(true|false)/g, '"attempt_count": <N>,$1<BOOL>')
      .replace(/,\\?"clock_at_end\\?":\d+/g, '') // what peers of ours tell of their clocks besides
      .replace(/(freespace: )[\d.]+ [kMGT]B/g, '$1<SIZE>').replace(/("(?:value|weight)": )"?-?\d+"?/g, '$1<SIZE>')
      .replace(/(Code: 0\n +Message: ).*/g, '$1<WHY>').replace(/("code": 0,\n +"message": ).*/g, '$1<WHY>')
  }
}

/** What is not the same on another peer, with another daemon. */
function placeless ({ code, out }: Outcome, self: string): Outcome {
  const addresses = /( +- )\/[^\n]*\n(?: +- \/[^\n]*\n)*/g
  const lists = /("(?:addresses|ipfs_peer_addresses)": )(?:\[[^\]]*\]|null)/g
  return {
    code,
    out: out.replaceAll(self, '<SELF>').replace(addresses, '$1<ADDRESSES>\n').replace(lists, '$1<ADDRESSES>').replace(/\\?"ipfs_addresses\\?":\[[^\]]*\]/g, '<ADDRESSES>')
      .replaceAll(`*${self.slice(-6)}`, '*<SELF>')
      .replace(/\b(12D3KooW|Qm)\*\w{6}|\b12\*\w{6}/g, '<DAEMON>').replace(/12D3KooW\w{44}/g, '<DAEMON>')
      .replace(/"version": ".*"/g, '"version": "<VERSION>"').replace(/^\d+\.\d+\.\d+$/gm, '<VERSION>')
  }
}

t.test(go === '' ? 'our ipfs-cluster-ctl says what the Go program\'s said' : 'our ipfs-cluster-ctl says what the Go program\'s says', async t => {
  await using doors = await open()
  const kept = JSON.parse(await readFile(keptPath, 'utf8').catch(() => '{}')) as Record<string, Outcome>
  const said: Record<string, Outcome> = {}

  const ask = async (program: readonly [string, ...string[]], { line, first = [], door = 'all' }: CtlInvocation): Promise<Outcome> => {
    for (const before of first) await run([process.execPath, ours], before, doors, door)
    return timeless(await run(program, line, doors, door))
  }
  for (const [i, invocation] of invocations.entries()) {
    const name = `${i}: ${invocation.line}`
    const theirs = go === '' ? undefined : await ask([go], invocation)
    const own = await ask([process.execPath, ours], invocation)

    if (theirs !== undefined) said[name] = placeless(theirs, doors.self)
    if (theirs === undefined) t.strictSame(placeless(own, doors.self), kept[name], name)
    else t.strictSame(own, theirs, name)
  }

  if (isRecording) await writeFile(keptPath, `${JSON.stringify(said, undefined, 1)}\n`)
})
