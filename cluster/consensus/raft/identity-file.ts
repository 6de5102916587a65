/** Small files that are replaced whole or not at all, and the one that says whom a folder belongs to. */
import { crc32c } from './crc32c.ts'
import type { Disk } from './disk.ts'
import type { Identity } from './storage.ts'

const path = (folder: string): string => `${folder}/identity`

/** @throws Error when the file is there and cannot be believed: to guess an identity is to vote twice. */
export async function readIdentity (disk: Disk, folder: string): Promise<Identity | undefined> {
  const bytes = await disk.readFile(path(folder))
  if (bytes === undefined) return undefined
  const [sum, json] = Buffer.from(bytes).toString().split('\n', 2)
  if (json === undefined || sum !== checksum(json)) {
    throw new Error(`${path(folder)} is damaged: this peer no longer knows who it is. Remove it from the cluster, move the folder away and let it join again`)
  }
  const { nodeId, incarnation, clusterId, boot } = JSON.parse(json) as Identity
  return { nodeId, incarnation, clusterId: clusterId ?? undefined, boot }
}

export async function writeIdentity (disk: Disk, folder: string, identity: Identity): Promise<void> {
  const json = JSON.stringify(identity)
  await replaceFile(disk, folder, 'identity', Buffer.from(`${checksum(json)}\n${json}\n`))
}

/** Durable when it resolves; whatever happens meanwhile, the old content or the new is there. */
export async function replaceFile (disk: Disk, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${folder}/${name}.tmp`
  await disk.remove(temporary)
  {
    using file = await disk.open(temporary, 'create')
    await file.write(bytes, 0)
    await file.sync()
  }
  await disk.rename(temporary, `${folder}/${name}`)
  await disk.syncFolder(folder)
}

const checksum = (json: string): string => crc32c(Buffer.from(json)).toString(16).padStart(8, '0')
