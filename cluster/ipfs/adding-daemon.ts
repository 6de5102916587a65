import { randomBytes } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { identity } from 'multiformats/hashes/identity'
import { KuboRepliedError } from '../api/errors.ts'
import type { AddingDaemon, DaemonAddLine } from '../ports.ts'
import { jsonLines } from './kubo-reply.ts'
import type { Requests } from './requests.ts'

/** An identity block of chance: nothing anybody pins, so asking to unpin it changes nothing. */
const neverPinned = CID.createV1(raw.code, identity.digest(randomBytes(16))).toString()
const statusUnknownCommand = 404

/** What an add looks at in the daemon's configuration; sections without a setting of their own may be absent. */
interface ShownConfig {
  readonly Import?: Readonly<Record<string, unknown>> | null
  readonly Internal?: Readonly<Record<string, unknown>> | null
}

/** What an add asks of the daemon when only the daemon itself can do it as Kubo would. */
export function createAddingDaemon (requests: Requests): AddingDaemon {
  return {
    async importSettings ({ signal }) {
      try {
        const { Import, Internal } = await requests.json<ShownConfig>('config/show', { signal })
        const threshold = Import?.['UnixFSHAMTDirectorySizeThreshold'] ?? Internal?.['UnixFSShardingSizeThreshold'] // its former name, still heeded
        return { ...Import, UnixFSHAMTDirectorySizeThreshold: threshold }
      } catch (err) {
        if (err instanceof KuboRepliedError && err.status === statusUnknownCommand) return {} // no Kubo, so no settings either
        throw err
      }
    },
    async * add ({ query, contentType, body }, { signal }) {
      const broken: { error?: unknown } = {}
      try {
        const reply = await requests.post('add', { query: new URLSearchParams(query), headers: { 'content-type': contentType }, body: remembering(body, broken), signal })
        yield * jsonLines<DaemonAddLine>(reply.body)
      } catch (err) {
        throw 'error' in broken ? broken.error : err
      }
    },
    async reachPinLock ({ signal }) {
      try {
        await requests.json('pin/rm', { query: [['arg', neverPinned]], signal })
      } catch (err) {
        if (!(err instanceof KuboRepliedError)) throw err // refused, as it should be: the lock was had
      }
    },
    async * exportDag (root, { signal }) {
      const { body } = await requests.post('dag/export', { query: [['arg', root.toString()], ['progress', 'false'], ['offline', 'true']], signal })
      yield * body
    }
  }
}

/** Keeps what made the body break off, of which the request only says that it did. */
async function * remembering (body: AsyncIterable<Uint8Array>, broken: { error?: unknown }): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield * body
  } catch (error) {
    broken.error = error
    throw error
  }
}
