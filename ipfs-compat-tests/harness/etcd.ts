/** A real etcd, of one member or several on loopback. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { freePorts } from '../../cluster/consensus/raft/processes/ports.ts'
import { eventually } from './eventually.ts'
import { temporaryFolder } from './folder.ts'
import { selfSigned } from './self-signed.ts'

const binary = process.env['ETCD_BIN'] ?? 'etcd'
const isThere = spawnSync(binary, ['--version']).status === 0
/** Why what needs an etcd is not tried here; false where it is. */
export const withoutEtcd: string | false = isThere ? false : 'there is no etcd here (Debian: etcd-server); ETCD_BIN may name one'

export interface EtcdMember {
  readonly endpoint: string
  /** Until `start`. With SIGSTOP it stays there and says nothing, until SIGCONT. */
  signal (name: NodeJS.Signals): void
  kill (): Promise<void>
  start (): void
}

export interface RunningEtcd extends AsyncDisposable {
  readonly endpoints: readonly string[]
  readonly members: readonly EtcdMember[]
  /** Of its gateway, at the first member that answers. */
  ask<T = Record<string, unknown>> (path: string, body: object, authorization?: string): Promise<T>
  leader (): Promise<EtcdMember>
}

/** Whose HTTP answer was no 200: what etcd said. */
export class EtcdSaidError extends Error {}

/** The certificate that an etcd with TLS has here, and asks of its clients too, as files. */
export const etcdCertificate = { cert: join(import.meta.dirname, 'fixtures', 'localhost-test-only.crt'), key: join(import.meta.dirname, 'fixtures', 'localhost-test-only.key') } as const
let secured: Promise<Agent> | undefined
async function securedAgent (): Promise<Agent> {
  const { cert, key } = await selfSigned()
  return new Agent({ connect: { ca: cert, cert, key } })
}

export async function askEtcd<T> (endpoint: string, path: string, body: object, authorization?: string): Promise<T> {
  const dispatcher = endpoint.startsWith('https:') ? { dispatcher: await (secured ??= securedAgent()) } : {}
  const { statusCode, body: answer } = await request(`${endpoint}/v3/${path}`, {
    method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...authorization !== undefined && { authorization } }, headersTimeout: 5_000, bodyTimeout: 5_000, ...dispatcher
  })
  const text = await answer.text()
  if (statusCode !== 200) throw new EtcdSaidError(text)
  return JSON.parse(text) as T
}

export async function startEtcd ({ size = 1, args = [], isSecure = false }: { readonly size?: number, readonly args?: readonly string[], readonly isSecure?: boolean } = {}): Promise<RunningEtcd> {
  const folder = await temporaryFolder()
  const ports = await freePorts(Array.from({ length: 2 * size }, () => 0))
  const urlOf = (i: number): string => `http://127.0.0.1:${ports[i]}`
  const doorOf = (i: number): string => isSecure ? urlOf(i).replace('http:', 'https:') : urlOf(i)
  const security = isSecure ? ['--cert-file', etcdCertificate.cert, '--key-file', etcdCertificate.key, '--client-cert-auth', '--trusted-ca-file', etcdCertificate.cert] : []
  const cluster = Array.from({ length: size }, (_, i) => `m${i}=${urlOf(size + i)}`).join(',')
  const members = Array.from({ length: size }, (_, i): EtcdMember => {
    let child: ChildProcess | undefined
    const start = (): void => {
      child = spawn(binary, [
        '--name', `m${i}`, '--data-dir', `${folder.path}/m${i}`, '--listen-client-urls', doorOf(i), '--advertise-client-urls', doorOf(i),
        '--listen-peer-urls', urlOf(size + i), '--initial-advertise-peer-urls', urlOf(size + i), '--initial-cluster', cluster,
        '--logger', 'zap', '--log-outputs', `${folder.path}/m${i}.log`, ...security, ...args
      ], { stdio: 'ignore' })
    }
    start()
    process.once('exit', () => { child?.kill('SIGKILL') })
    return {
      endpoint: doorOf(i),
      start,
      signal (name) { child?.kill(name) },
      async kill () {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
    }
  })
  const ask = async <T>(path: string, body: object, authorization?: string): Promise<T> => await eventually(`etcd answers ${path}`, async () => {
    for (const { endpoint } of members) {
      try {
        return { answer: await askEtcd<T>(endpoint, path, body, authorization) }
      } catch (err) {
        if (err instanceof EtcdSaidError && !/"code":14/.test(err.message)) return { err }
      }
    }
    return undefined
  }).then(said => {
    if ('err' in said) throw said.err
    return said.answer
  })

  await eventually('etcd is there', async () => await askEtcd(members[0]!.endpoint, 'kv/range', { key: 'AA==' }))
  return {
    endpoints: members.map(({ endpoint }) => endpoint),
    members,
    ask,
    async leader () {
      return await eventually('etcd has a leader', async () => {
        for (const member of members) {
          const status = await askEtcd<{ leader: string, header: { member_id: string } }>(member.endpoint, 'maintenance/status', {}).catch(() => undefined) // another one may be there
          if (status !== undefined && status.leader === status.header.member_id) return member
        }
        return undefined
      })
    },
    async [Symbol.asyncDispose] () {
      await Promise.all(members.map(async member => { await member.kill() }))
      await folder[Symbol.asyncDispose]()
    }
  }
}
