/** Three etcd members of Debian's package on loopback, and the smallest gRPC client that puts and reads a key. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { freePort } from '../../cluster/consensus/raft/processes/ports.ts'
import type { Target } from './load.ts'

const connections = 4
const valueBytes = 256

export function findEtcd (given: string | undefined): string | undefined {
  const candidates = given === undefined ? ['etcd', '/usr/bin/etcd'] : [given]
  return candidates.find(path => spawnSync(path, ['--version']).status === 0)
}

export interface EtcdCluster extends AsyncDisposable, Target {}

export async function startEtcd (program: string, folder: string): Promise<EtcdCluster> {
  const members = await Promise.all([1, 2, 3].map(async id => ({
    name: `m${id}`, peer: `http://127.0.0.1:${await freePort()}`, client: `http://127.0.0.1:${await freePort()}`
  })))
  const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(',')
  const processes: ChildProcess[] = members.map(({ name, peer, client }) => spawn(program, [
    '--name', name, '--data-dir', `${folder}/${name}`, '--initial-cluster', cluster, '--initial-cluster-state', 'new',
    '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--listen-client-urls', client, '--advertise-client-urls', client
  ], { stdio: 'ignore', env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch } }))
  const leader = await leaderAmong(members.map(({ client }) => client))
  const sessions = Array.from({ length: connections }, () => connect(leader))
  for (const session of sessions) session.on('error', () => {})
  const value = Buffer.alloc(valueBytes, 'x')

  return {
    write: async number => { await call(sessions[number % connections]!, '/etcdserverpb.KV/Put', Buffer.concat([field(1, Buffer.from(`key-${number}`)), field(2, value)])) },
    read: async number => { await call(sessions[number % connections]!, '/etcdserverpb.KV/Range', field(1, Buffer.from(`key-${number}`))) },
    async [Symbol.asyncDispose] () {
      for (const session of sessions) session.destroy()
      await Promise.all(processes.map(async child => {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }))
    }
  }
}

async function leaderAmong (clients: readonly string[]): Promise<string> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline;) {
    for (const client of clients) {
      try {
        const answer = await fetch(`${client}/v3/maintenance/status`, { method: 'POST', body: '{}' })
        const { leader, header } = await answer.json() as { leader?: string, header?: { member_id?: string } }
        if (leader !== undefined && leader !== '0' && leader === header?.member_id) return client
      } catch { /* it is still starting */ }
    }
    await new Promise(resolve => { setTimeout(resolve, 100) })
  }
  throw new Error('etcd elects nobody')
}

/** A length-delimited protobuf field. */
function field (number: number, bytes: Uint8Array): Buffer {
  const length = bytes.length < 128 ? [bytes.length] : [bytes.length & 0x7f | 0x80, bytes.length >> 7]
  return Buffer.concat([Uint8Array.of(number << 3 | 2, ...length), bytes])
}

async function call (session: ClientHttp2Session, path: string, message: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' })
    let status = ''
    stream.on('trailers', trailers => { status = String(trailers['grpc-status']) })
    stream.on('error', reject)
    stream.on('close', () => { if (status === '0') resolve(); else reject(new Error(`grpc status ${status}`)) })
    stream.resume()
    const frame = Buffer.allocUnsafe(5 + message.length)
    frame.writeUInt8(0, 0)
    frame.writeUInt32BE(message.length, 1)
    frame.set(message, 5)
    stream.end(frame)
  })
}
