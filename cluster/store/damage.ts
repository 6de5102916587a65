import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { ClusterError } from '../api/errors.ts'

/** Where the fields of a meta page stand in the file format (version 2) of lmdb 3.5.6. */
const metaBytes = 160
const magicAt = 24
const magic = 0xbeefc0de
const pageSizeAt = 48
const lastPageAt = 144
const transactionAt = 152

interface Meta { readonly pageSize: number, readonly lastPage: bigint, readonly transaction: bigint }

/**
 * Looks at an LMDB file before LMDB does: it maps the file into memory, so that one which was cut short ends the process with a
 * signal where it should say what is wrong. An empty file is one that was never written.
 *
 * @throws ClusterError ERR_STORAGE
 */
export async function checkUndamaged (path: string): Promise<void> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  if (size === 0) return
  const first = await metaOf(file, 0)
  const second = await metaOf(file, first?.pageSize ?? 4096)
  const metas = [first, second].filter(meta => meta !== undefined)
  if (metas.length === 0) throw new ClusterError('ERR_STORAGE', `${path} is damaged, or no store: its first pages cannot be read. Bring it back from a copy, or move it away to begin anew`)
  const { pageSize, lastPage } = metas.reduce((a, b) => a.transaction > b.transaction ? a : b)
  const neededBytes = (lastPage + 1n) * BigInt(pageSize)
  if (BigInt(size) < neededBytes) throw new ClusterError('ERR_STORAGE', `${path} is damaged: ${size} bytes are there of ${neededBytes}. Bring it back from a copy, or move it away to begin anew`)
}

async function metaOf (file: FileHandle, position: number): Promise<Meta | undefined> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(metaBytes), 0, metaBytes, position)
  if (bytesRead < metaBytes || buffer.readUInt32LE(magicAt) !== magic) return undefined
  return { pageSize: buffer.readUInt32LE(pageSizeAt), lastPage: buffer.readBigUInt64LE(lastPageAt), transaction: buffer.readBigUInt64LE(transactionAt) }
}
