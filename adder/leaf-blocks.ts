import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { UnixFS } from 'ipfs-unixfs'
import type { BufferImporter } from 'ipfs-unixfs-importer'
import type { Chunker } from 'ipfs-unixfs-importer/chunker'
import type { Block } from '../cluster/ports.ts'

/*
 * The importer's own chunker and leaf encoder copy every byte four times and keep the data of up to 174 leaves until their parent is
 * made. These two copy it once, into the block it ends up in, and keep none of it: 256 MiB took half the time (bench/add.ts).
 */

/** Room before and behind a chunk for what makes it a dag-pb leaf: tags, lengths, the file size. */
const roomBefore = 24
const roomBehind = 8
const rawCode = 0x55
const dagPbCode = 0x70
const sha256Code = 0x12

/** Chunks of `chunkBytes`, each in a buffer with room around it for its envelope, which `leafBlocks` uses. */
export function sizedChunks (chunkBytes: number): Chunker {
  return async function * (source) {
    let pieces: Uint8Array[] = []
    let held = 0
    let count = 0
    for await (const piece of source) {
      for (let at = 0; at < piece.byteLength;) {
        const length = Math.min(chunkBytes - held, piece.byteLength - at)
        pieces.push(piece.subarray(at, at + length))
        held += length
        at += length
        if (held < chunkBytes) continue
        yield joined(pieces, held)
        count++
        pieces = []
        held = 0
      }
    }
    if (held > 0 || count === 0) yield joined(pieces, held)
  }
}

/** Pieces as one chunk with room around it. */
export function joined (pieces: readonly Uint8Array[], length: number): Uint8Array {
  const block = Buffer.allocUnsafeSlow(roomBefore + length + roomBehind)
  let at = roomBefore
  for (const piece of pieces) {
    block.set(piece, at)
    at += piece.byteLength
  }
  return block.subarray(roomBefore, at)
}

/** Leaves as Kubo makes them: raw blocks (always CIDv1), or dag-pb nodes with a UnixFS file inside. */
export function leafBlocks ({ rawLeaves, cidVersion }: { readonly rawLeaves: boolean, readonly cidVersion: 0 | 1 }): BufferImporter {
  return async function * (file, blockstore) {
    for await (const chunk of file.content) {
      yield async () => {
        const { cid, bytes: block } = leafOf(chunk, { rawLeaves, cidVersion })
        await blockstore.put(cid, block)
        // Its parent only asks for its size; the data itself is on its way.
        const unixfs = rawLeaves ? undefined : new UnixFS({ type: 'file', blockSizes: [BigInt(chunk.byteLength)] })
        return { cid, size: BigInt(block.byteLength), block, ...unixfs !== undefined && { unixfs } }
      }
    }
  }
}

/** The leaf of a chunk that `sizedChunks` or `joined` made; it takes the chunk's place in memory. */
export function leafOf (chunk: Uint8Array, { rawLeaves, cidVersion }: { readonly rawLeaves: boolean, readonly cidVersion: 0 | 1 }): Block {
  const bytes = rawLeaves ? chunk : enveloped(chunk)
  return { cid: rawLeaves ? sha256Cid(1, rawCode, bytes) : sha256Cid(cidVersion, dagPbCode, bytes), bytes }
}

export function sha256Cid (version: 0 | 1, code: number, bytes: Uint8Array): CID {
  const digest = Digest.create(sha256Code, hash('sha256', bytes, 'buffer'))
  return version === 0 ? CID.createV0(digest) : CID.createV1(code, digest)
}

/**
 * Writes the envelope around a chunk where it stands: `Data { Type: File, Data, filesize }` in `PBNode.Data`, without a copy.
 * An empty leaf has no `Data` field, as in Kubo.
 */
function enveloped (chunk: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = chunk
  const length = varint(byteLength)
  const head = byteLength === 0 ? [0x08, 0x02] : [0x08, 0x02, 0x12, ...length]
  const tail = [0x18, ...length]
  const before = [0x0a, ...varint(head.length + byteLength + tail.length), ...head]
  const block = new Uint8Array(buffer, byteOffset - before.length, before.length + byteLength + tail.length)
  block.set(before, 0)
  block.set(tail, before.length + byteLength)
  return block
}

function varint (value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push(rest % 0x80 | 0x80)
  bytes.push(rest)
  return bytes
}
