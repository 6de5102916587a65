/** The daemon's seam as a Map: for tests of what stands on it, which say when it answers and how. */
import type { CID } from 'multiformats/cid'
import { cidKeyText } from '../../cluster/api/cid-key.ts'
import { ClusterError } from '../../cluster/api/errors.ts'
import { abortable } from '../../cluster/async/abortable.ts'
import type { IpfsConnector, PinProgress } from '../../cluster/ports.ts'

export interface MemoryIpfs extends IpfsConnector {
  /** What it was asked to change, in order: `pin <last 4 of the CID> <name>`, `unpin <last 4>`. */
  readonly changes: readonly string[]
  readonly listings: number
  readonly questions: number
  has (cid: CID): { readonly status: 'recursive' | 'direct', readonly name: string } | undefined
  /** Pinned by somebody who did not ask the cluster. */
  pinDirectly (cid: CID, name?: string, status?: 'recursive' | 'direct'): void
  unpinDirectly (cid: CID): void
  /** From now on a pin of `cid` waits for `release`, or fails with what `fail` is given. */
  hold (cid: CID): { readonly begun: Promise<void>, progress (progress: PinProgress): void, release (): void, fail (err: unknown): void }
  /** Every call fails until it is back. */
  setAway (isAway: boolean): void
}

interface Gate { readonly begun: PromiseWithResolvers<void>, readonly opened: PromiseWithResolvers<void>, onProgress: ((progress: PinProgress) => void) | undefined }

export function createMemoryIpfs (): MemoryIpfs {
  const pins = new Map<string, { readonly cid: CID, readonly status: 'recursive' | 'direct', readonly name: string }>()
  const gates = new Map<string, Gate>()
  const changes: string[] = []
  let isAway = false
  let listings = 0
  let questions = 0

  const end = (cid: CID): string => cid.toString().slice(-4)
  const assertThere = (): void => {
    if (isAway) throw new ClusterError('ERR_IPFS_UNREACHABLE', 'cannot reach the IPFS daemon at /memory')
  }
  const missing = (): never => { throw new Error('not part of this daemon') }

  return {
    name: 'ipfs',
    changes,
    get listings () { return listings },
    get questions () { return questions },
    has: cid => pins.get(cidKeyText(cid)),
    pinDirectly: (cid, name = '', status = 'recursive') => { pins.set(cidKeyText(cid), { cid, status, name }) },
    unpinDirectly: cid => { pins.delete(cidKeyText(cid)) },
    hold (cid) {
      const gate: Gate = { begun: Promise.withResolvers(), opened: Promise.withResolvers(), onProgress: undefined }
      gates.set(cidKeyText(cid), gate)
      const open = (): void => { gates.delete(cidKeyText(cid)) }
      return {
        begun: gate.begun.promise,
        progress: progress => gate.onProgress?.(progress),
        release () { open(); gate.opened.resolve() },
        fail (err) { open(); gate.opened.reject(err) }
      }
    },
    setAway (value) { isAway = value },
    async start () {},
    async pin ({ cid, mode, name }, { signal, onProgress }) {
      signal.throwIfAborted()
      assertThere()
      changes.push(`pin ${end(cid)} ${name}`)
      const gate = gates.get(cidKeyText(cid))
      if (gate !== undefined) {
        gate.onProgress = onProgress
        gate.begun.resolve()
        await abortable(gate.opened.promise, signal)
      }
      pins.set(cidKeyText(cid), { cid, status: mode, name })
    },
    async unpin (cid, { signal }) {
      signal.throwIfAborted()
      assertThere()
      changes.push(`unpin ${end(cid)}`)
      pins.delete(cidKeyText(cid))
    },
    async pinStatus (cid, { signal }) {
      signal.throwIfAborted()
      assertThere()
      questions++
      return pins.get(cidKeyText(cid)) ?? { status: 'unpinned', name: '' }
    },
    async * pinLs ({ signal }) {
      signal.throwIfAborted()
      assertThere()
      listings++
      yield * [...pins.values()]
    },
    resolve: missing,
    importBlocks: missing,
    id: async () => ({ id: 'memory', addresses: [], error: '' }),
    connect: async () => {},
    repoStat: async ({ sizeOnly = false }) => ({ repoSize: 0n, storageMax: 1n, numObjects: 0n, repoPath: sizeOnly ? '' : '/memory', version: sizeOnly ? '' : 'fs-repo@18' }),
    async * repoGc () {},
    async [Symbol.asyncDispose] () {}
  }
}
