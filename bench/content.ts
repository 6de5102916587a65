import { createHash, randomFillSync, randomUUID } from 'node:crypto'
import { encode } from '@ipld/dag-cbor'
import { varint } from 'multiformats'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import type { Body } from './call.ts'

export const mib = 1024 * 1024
const raw = 0x55
const dagCbor = 0x71

/** Random bytes, made beforehand so that making them is not measured. */
export function randomBytes (bytes: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(bytes))
}

/** An upload of one file, handed over in pieces. The content is new each time: a daemon that has it already would have less to do. */
export function fileBody (bytes: Buffer): Body {
  return multipart([{ name: 'file.bin', pieces: piecesOf(bytes) }])
}

export function filesBody (files: readonly Buffer[]): Body {
  return multipart(files.map((bytes, i) => ({ name: `dir%2Ffile-${i}`, pieces: [bytes] })))
}

/** As long as `bytesMax`, without ever holding more than a piece. */
export function endlessFileBody (bytesMax: number): Body {
  function * pieces (): Generator<Buffer> {
    const piece = randomBytes(mib)
    for (let sent = 0; sent < bytesMax; sent += mib) {
      randomFillSync(piece, 0, 4_096) // no two pieces alike, at little cost
      for (let at = 0; at < mib; at += 262_144) piece.writeDoubleLE(Math.random(), at)
      yield Buffer.from(piece)
    }
  }
  return multipart([{ name: 'file.bin', pieces: pieces() }])
}

export interface Car { readonly root: CID, readonly bytes: Buffer }

/** Raw blocks under one root. */
export function carOf (count: number, blockBytes: number): Car {
  const blocks = Array.from({ length: count }, () => blockOf(raw, randomBytes(blockBytes)))
  const root = blockOf(dagCbor, encode(blocks.map(({ cid }) => cid)))
  const header = encode({ roots: [root.cid], version: 1 })
  const sections = [section([header]), ...[root, ...blocks].map(({ cid, bytes }) => section([cid.bytes, bytes]))]
  return { root: root.cid, bytes: Buffer.concat(sections.flat()) }
}

/** Ready to send once. */
export function carBody ({ bytes }: Car): Body {
  return multipart([{ name: 'a.car', pieces: piecesOf(bytes) }])
}

function blockOf (codec: number, bytes: Uint8Array): { cid: CID, bytes: Uint8Array } {
  return { cid: CID.createV1(codec, create(0x12, createHash('sha256').update(bytes).digest())), bytes }
}

function section (parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return [varint.encodeTo(length, new Uint8Array(varint.encodingLength(length))), ...parts]
}

function * piecesOf (bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += mib) yield bytes.subarray(at, at + mib)
}

function multipart (files: readonly { readonly name: string, readonly pieces: Iterable<Uint8Array> }[]): Body {
  const boundary = randomUUID()
  async function * bytes (): AsyncGenerator<Uint8Array> {
    for (const { name, pieces } of files) {
      yield Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`)
      yield * pieces
      yield Buffer.from('\r\n')
    }
    yield Buffer.from(`--${boundary}--\r\n`)
  }
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: bytes() }
}
