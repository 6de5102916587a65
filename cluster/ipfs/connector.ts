import { CID } from 'multiformats/cid'
import { readCid } from '../api/cid-text.ts'
import { ClusterError } from '../api/errors.ts'
import type { Pin } from '../api/pin.ts'
import { deadline } from '../async/deadline.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions, IpfsConnector } from '../ports.ts'
import type { IpfsHttpConfig } from './config.ts'
import { collect } from './collect.ts'
import { createDirectPins } from './direct-pins.ts'
import { importBlocks } from './import-blocks.ts'
import { jsonLines, parseWithBigints, readText, saysNotPinned } from './kubo-reply.ts'
import { pinDaemonOver, pinWhileMoving } from './pin.ts'
import { createRequests } from './requests.ts'
import type { Requests } from './requests.ts'

const originsMax = 10
const statBytesMax = 1 << 16

interface PinLsLine { readonly Cid: string, readonly Name?: string, readonly Type: string }
interface PinFound { readonly status: 'recursive' | 'direct' | 'unpinned', readonly name: string }

/** Our side of the daemon's API: a real Kubo's or the embedded one's. */
export function createIpfsConnector ({ clock, log }: { readonly clock: Clock, readonly log: Logger }, config: IpfsHttpConfig): IpfsConnector {
  const requests = createRequests({ clock }, { endpoint: config.nodeMultiaddress, apiAuth: config.apiAuth })
  const daemon = pinDaemonOver(requests)
  const quick = { timeoutMs: config.ipfsRequestTimeout }
  const directPins = createDirectPins({ requests, clock }, quick)
  const own = { pins: new Set<string>(), imports: 0 }

  async function pinStatus (cid: CID, { signal }: AbortOptions): Promise<PinFound> {
    const [recursive, mayBeDirect] = await Promise.all([findPin(requests, cid, 'recursive', { signal, ...quick }), directPins.mayHave(cid, { signal })])
    const direct = recursive === undefined && mayBeDirect ? await findPin(requests, cid, 'direct', { signal, ...quick }) : undefined
    return recursive ?? direct ?? { status: 'unpinned', name: '' }
  }

  /** Kubo has no progress for an update, so one that takes longer than a pin may stand still is left for a plain pin. */
  async function tryUpdate (pin: Pin, from: CID, { signal }: AbortOptions): Promise<boolean> {
    const [old, now] = await Promise.all([from, pin.cid].map(cid => pinStatus(cid, { signal })))
    if (pin.mode !== 'recursive' || old!.status !== 'recursive' || now!.status === 'recursive') return false // Kubo refuses an update to what is pinned
    using limit = deadline(clock, config.pinTimeout, 'pin/update', signal)
    try {
      await requests.json('pin/update', { query: [['arg', from.toString()], ['arg', pin.cid.toString()], ['unpin', 'false']], signal: limit.signal })
      return old!.name === pin.name
    } catch (err) {
      if (!limit.signal.aborted || signal.aborted) throw err
      return false
    }
  }

  return {
    name: 'ipfs',
    async start ({ signal }) {
      signal.throwIfAborted()
    },
    async pin (pin, call) {
      using _origins = connectOrigins({ requests, log }, pin.origins)
      const cid = pin.cid.toString()
      own.pins.add(cid)
      using _work = { [Symbol.dispose]: () => own.pins.delete(cid) }
      if (pin.pinUpdate !== undefined && await tryUpdate(pin, pin.pinUpdate, call)) return
      await pinWhileMoving(daemon, pin, { ...call, clock, stallTimeoutMs: config.pinTimeout })
    },
    async unpin (cid, { signal }) {
      if (config.unpinDisable) throw new ClusterError('ERR_INVALID_ARGUMENT', 'pinning is not allowed to be undone on this daemon (ipfs_connector.ipfshttp.unpin_disable)')
      try {
        await requests.json('pin/rm', { query: [['arg', cid.toString()]], signal, timeoutMs: config.unpinTimeout })
      } catch (err) {
        if (!saysNotPinned(err)) throw err
      }
    },
    pinStatus,
    async * pinLs ({ signal }) {
      for (const type of ['recursive', 'direct'] as const) {
        const { body } = await requests.post('pin/ls', { query: [['type', type], ['names', 'true'], ['stream', 'true']], signal })
        for await (const { Cid, Name = '' } of jsonLines<PinLsLine>(body)) yield { cid: CID.parse(Cid), status: type, name: Name }
      }
    },
    async resolve (path, { signal }) {
      const bare = bareCid(path)
      if (bare !== undefined) return bare
      const { Cid } = await requests.json<{ Cid: { '/': string } }>('dag/resolve', { query: [['arg', path]], signal, ...quick })
      return CID.parse(Cid['/'])
    },
    async importBlocks (blocks, roots, call) {
      own.imports++
      using _work = { [Symbol.dispose]: () => own.imports-- }
      return await importBlocks({ requests, clock }, blocks, roots, call)
    },
    async id ({ signal }) {
      const { ID, Addresses } = await requests.json<{ ID: string, Addresses: readonly string[] | null }>('id', { signal, ...quick })
      return { id: ID, addresses: Addresses ?? [], error: '' }
    },
    async connect (addresses, { signal }) {
      await requests.json('swarm/connect', { query: addresses.map(address => ['arg', address] as const), signal, ...quick })
    },
    async repoStat ({ sizeOnly = false, signal }) {
      const { body } = await requests.post('repo/stat', { ...sizeOnly && { query: [['size-only', 'true']] }, signal, ...quick })
      const stat = parseWithBigints(await readText(body, statBytesMax)) as { RepoSize: bigint, StorageMax: bigint, NumObjects: bigint, RepoPath: string, Version: string }
      return { repoSize: stat.RepoSize, storageMax: stat.StorageMax, numObjects: stat.NumObjects, repoPath: stat.RepoPath, version: stat.Version }
    },
    repoGc: ({ signal }) => collect({ requests, clock, own }, { signal, timeoutMs: config.repogcTimeout, holdupMs: config.pinTimeout }),
    [Symbol.asyncDispose]: () => requests[Symbol.asyncDispose]()
  }
}

async function findPin (requests: Requests, cid: CID, type: 'recursive' | 'direct', options: AbortOptions & { readonly timeoutMs: number }): Promise<PinFound | undefined> {
  try {
    const { body } = await requests.post('pin/ls', { query: [['arg', cid.toString()], ['type', type], ['names', 'true'], ['stream', 'true']], ...options })
    let found: PinFound | undefined
    for await (const { Name = '' } of jsonLines<PinLsLine>(body)) found = { status: type, name: Name }
    return found
  } catch (err) {
    if (saysNotPinned(err)) return undefined
    throw err
  }
}

/** Connects the daemon to nodes that are said to have the content, while it pins; what does not connect does not matter. */
function connectOrigins ({ requests, log }: { readonly requests: Requests, readonly log: Logger }, origins: readonly string[]): Disposable {
  const ending = new AbortController()
  for (const origin of origins.slice(0, originsMax)) {
    requests.json('swarm/connect', { query: [['arg', origin]], signal: ending.signal })
      .catch(err => log.debug('an origin cannot be reached', { origin, err }))
  }
  return { [Symbol.dispose]: () => ending.abort(new Error('the pin has ended')) }
}

/** A CID, or `/ipfs/` and a CID: what needs no daemon to be resolved. */
function bareCid (path: string): CID | undefined {
  try {
    return readCid(path.replace(/^\/ipfs\/([^/]+)\/?$/, '$1'))
  } catch {
    return undefined
  }
}
