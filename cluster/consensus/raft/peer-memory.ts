/** What has been seen of each folder that ever talked to us, kept across restarts: an old copy of one must not find a peer that has forgotten. */
import { ByteReader, ByteWriter } from './bytes.ts'
import { crc32c } from './crc32c.ts'
import type { Disk } from './disk.ts'
import type { Hello, Seen } from './handshake.ts'
import { replaceFile } from './identity-file.ts'
import type { NodeId } from './core/types.ts'

const name = 'peers'
/** Peers that were replaced long ago are forgotten first. */
const seenMax = 4_096

export interface PeerMemory {
  seen (id: NodeId, incarnation: number): Seen | undefined
  /** Durable when it resolves, if it was a new start of that peer. */
  note (hello: Hello): Promise<void>
}

export async function openPeerMemory (disk: Disk, folder: string): Promise<PeerMemory> {
  const known = decode(await disk.readFile(`${folder}/${name}`))
  let writing = Promise.resolve()
  return {
    seen: (id, incarnation) => known.get(`${id}/${incarnation}`),
    async note ({ from, boot, nonce, term }) {
      const key = `${from.id}/${from.incarnation}`
      const before = known.get(key)
      known.delete(key)
      known.set(key, { boot, nonce, term: Math.max(term, before?.term ?? 0) })
      if (known.size > seenMax) known.delete(known.keys().next().value!)
      if (before?.boot === boot) return
      writing = writing.catch(() => {}).then(async () => { await replaceFile(disk, folder, name, encode(known)) })
      await writing
    }
  }
}

function encode (known: ReadonlyMap<string, Seen>): Uint8Array {
  const to = new ByteWriter().varint(known.size)
  for (const [key, { boot, nonce, term }] of known) to.text(key).varint(boot).varint(nonce).varint(term)
  return to.u32(crc32c(to.done())).done()
}

/** A file that cannot be read is as none: it only ever makes us more careful. */
function decode (bytes: Uint8Array | undefined): Map<string, Seen> {
  const known = new Map<string, Seen>()
  if (bytes === undefined || bytes.length < 5) return known
  const body = bytes.subarray(0, -4)
  if (new ByteReader(bytes, bytes.length - 4).u32() !== crc32c(body)) return known
  const from = new ByteReader(body)
  for (let left = from.varint(); left > 0; left--) known.set(from.text(), { boot: from.varint(), nonce: from.varint(), term: from.varint() })
  return known
}
