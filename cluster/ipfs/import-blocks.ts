import { randomUUID } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { lengthBytes } from '../api/length-bytes.ts'
import * as dagCbor from '@ipld/dag-cbor'
import { ClusterError, KuboRepliedError } from '../api/errors.ts'
import { joinSignals } from '../async/join-signals.ts'
import type { Clock } from '../clock.ts'
import type { Block, ImportCall, NamedRoot, UnpinnedRoot } from '../ports.ts'
import { jsonLines } from './kubo-reply.ts'
import { silencing } from './pin.ts'
import type { DaemonReply, Requests } from './requests.ts'

/** Small blocks are gathered into writes of about this size; larger ones are written as they are. */
const writeBytes = 64 << 10
/** How long the daemon may take to pin once it has everything: to walk what it has been given, and something on top. */
const pinTimeoutMs = 120_000
const pinTimeoutMsPerBlock = 20

export interface BlockImportComponents {
  readonly requests: Requests
  readonly clock: Clock
}

/**
 * `IpfsConnector.importBlocks`: one `dag/import` of two parts, a CAR of all blocks without roots, and one of no blocks whose roots are
 * to be pinned. The daemon holds its pin lock from the first byte to the last pin, so no GC takes a block in between (with
 * `pin-roots=false` one took 195 of 200 while the import answered 200). On a real Kubo a pin whose DAG lacks a block waits for the
 * network for ever, so it is given up after a time that grows with what was sent.
 */
export async function importBlocks (
  { requests, clock }: BlockImportComponents, blocks: AsyncIterable<Block>, roots: Promise<readonly NamedRoot[]>, { signal, timeoutMs, unannounced }: ImportCall
): Promise<readonly UnpinnedRoot[]> {
  const late = new AbortController()
  const sent: Sent = { blockCount: 0, failure: undefined, roots: [] }
  const boundary = `ipfs-quorum-${randomUUID()}`
  using deadline = new DisposableStack()
  using joined = joinSignals(signal, late.signal)
  const body = importBody(blocks, roots, boundary, sent, () => {
    const waitMs = pinTimeoutMs + sent.blockCount * pinTimeoutMsPerBlock
    deadline.use(clock.after(waitMs, () => { late.abort(new ClusterError('ERR_STALLED', `the IPFS daemon did not pin what it was sent within ${waitMs} ms`)) }))
  })
  try {
    const reply = await requests.post('dag/import', {
      query: [['pin-roots', 'true'], ['allow-big-block', 'true'], ...silencing(unannounced), ...timeoutMs === undefined ? [] : [['timeout', `${Math.max(1, Math.ceil(timeoutMs))}ms`] as const]],
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      body,
      signal: joined.signal
    })
    const unpinned = await unpinnedRoots(reply)
    const isPinned = ({ cid }: NamedRoot): boolean => !unpinned.some(root => root.cid.equals(cid))
    for (const root of sent.roots) if (root.name !== '' && isPinned(root)) await namePin(requests, root, { signal, ...unannounced !== undefined && { unannounced } })
    return unpinned
  } catch (err) {
    // Why the body broke off says more than that it did.
    throw sent.failure === undefined ? err : sent.failure.error
  }
}

/** `dag/import` cannot name its pins, but the same pin again, with a name, takes it on. */
async function namePin (requests: Requests, { cid, name }: NamedRoot, { signal, unannounced }: ImportCall): Promise<void> {
  await requests.json('pin/add', { query: [['arg', cid.toString()], ['name', name], ...silencing(unannounced)], signal })
}

interface Sent {
  blockCount: number
  failure: { readonly error: unknown } | undefined
  roots: readonly NamedRoot[]
}

async function * importBody (blocks: AsyncIterable<Block>, roots: Promise<readonly NamedRoot[]>, boundary: string, sent: Sent, whenSent: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield partHead(boundary, 'blocks.car')
    yield carHeader([])
    yield * carSections(blocks, sent)
    sent.roots = await roots
    if (sent.roots.length > 0) {
      yield Buffer.concat([crlf, partHead(boundary, 'roots.car')])
      yield carHeader(sent.roots.map(({ cid }) => cid))
    }
    // Without a line end: then Kubo reads on to the end of the body, and only behind that does it notice that a caller who waits for a pin has left.
    yield Buffer.from(`\r\n--${boundary}--`)
    whenSent()
  } catch (error) {
    sent.failure = { error }
    throw error
  }
}

const crlf = Buffer.from('\r\n')

function partHead (boundary: string, name: string): Uint8Array {
  return Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`)
}

function carHeader (roots: readonly CID[]): Uint8Array {
  const header = dagCbor.encode({ roots, version: 1 })
  return Buffer.concat([lengthBytes(header.byteLength), header])
}

/** Sections of a CAR, each block behind its CID. A write for each small block would cost more than the block. */
async function * carSections (blocks: AsyncIterable<Block>, sent: Sent): AsyncGenerator<Uint8Array, void, undefined> {
  const gathered = new Gathered()
  for await (const block of blocks) {
    sent.blockCount++
    if (block.bytes.byteLength >= writeBytes) {
      if (gathered.byteLength > 0) yield gathered.take()
      yield block.section ?? sectionHead(block)
      if (block.section === undefined) yield block.bytes
      continue
    }
    if (block.section !== undefined) gathered.add(block.section)
    else {
      gathered.add(sectionHead(block))
      gathered.add(block.bytes)
    }
    if (gathered.byteLength >= writeBytes) yield gathered.take()
  }
  if (gathered.byteLength > 0) yield gathered.take()
}

function sectionHead ({ cid, bytes }: Block): Uint8Array {
  return Buffer.concat([lengthBytes(cid.bytes.byteLength + bytes.byteLength), cid.bytes])
}

/** Bytes for one write. What lies behind one another already, as sections of a CAR do that came in one piece, is not copied. */
class Gathered {
  byteLength = 0
  #pieces: Uint8Array[] = []
  #last: { readonly buffer: ArrayBufferLike, readonly start: number, end: number } | undefined

  add ({ buffer, byteOffset, byteLength }: Uint8Array): void {
    this.byteLength += byteLength
    if (this.#last?.buffer === buffer && this.#last.end === byteOffset) {
      this.#last.end += byteLength
      return
    }
    this.#closePiece()
    this.#last = { buffer, start: byteOffset, end: byteOffset + byteLength }
  }

  take (): Uint8Array {
    this.#closePiece()
    const pieces = this.#pieces
    this.#pieces = []
    this.byteLength = 0
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  #closePiece (): void {
    if (this.#last === undefined) return
    const { buffer, start, end } = this.#last
    this.#pieces.push(Buffer.from(buffer, start, end - start))
    this.#last = undefined
  }
}

interface ImportLine { readonly Root?: { readonly Cid: { readonly '/': string }, readonly PinErrorMsg?: string } }

async function unpinnedRoots ({ body }: DaemonReply): Promise<readonly UnpinnedRoot[]> {
  const unpinned: UnpinnedRoot[] = []
  for await (const { Root } of jsonLines<ImportLine>(body)) {
    const message = Root?.PinErrorMsg ?? ''
    if (Root !== undefined && message !== '') unpinned.push({ cid: CID.parse(Root.Cid['/']), error: new KuboRepliedError(message, { status: 200, kuboCode: 0 }) })
  }
  return unpinned
}
