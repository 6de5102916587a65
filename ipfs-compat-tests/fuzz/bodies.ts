import { encode as encodeCbor } from '@ipld/dag-cbor'
import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { carHeader, carSection } from '../../embedded/dag/car.ts'
import { mutate } from './mutate.ts'
import type { Chance } from './random.ts'

const dagCbor = 0x71
const raw = 0x55

/** A body, and the content type that goes with it. */
export interface Body { readonly contentType: string, readonly bytes: Buffer }

/** A multipart body as some client may write one, or nearly. `content` makes what is in a part. */
export function multipartBody (chance: Chance, content: () => Buffer): Body {
  const boundary = chance.oneIn(20) ? chance.bytes(1 + chance.size(70)).toString('hex') : chance.pick(['b', 'boundary', '----WebKitFormBoundaryABC', 'a-b_c.d', "'x'"])
  const lineEnd = chance.oneIn(10) ? '\n' : '\r\n'
  const parts = Array.from({ length: chance.size(12) + (chance.oneIn(10) ? 0 : 1) }, (_, i) => {
    const head = [`Content-Disposition: ${disposition(chance, i)}`, ...chance.oneIn(4) ? [] : [`Content-Type: ${partType(chance)}`], ...extraHeaders(chance)]
    return Buffer.concat([Buffer.from(`--${boundary}${lineEnd}${head.join(lineEnd)}${lineEnd}${lineEnd}`, 'latin1'), content(), Buffer.from(lineEnd)])
  })
  const whole = Buffer.concat([Buffer.from(chance.oneIn(15) ? `preamble${lineEnd}` : ''), ...parts, Buffer.from(chance.oneIn(15) ? '' : `--${boundary}--${lineEnd}`)])
  const contentType = chance.oneIn(25) ? chance.pick(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/mixed; boundary=b', 'text/plain', 'multipart/form-data; boundary="b']) : `multipart/form-data; boundary=${/^[\w.-]+$/.test(boundary) ? boundary : `"${boundary}"`}`
  return { contentType, bytes: chance.oneIn(3) ? whole : mutate(whole, chance) }
}

function disposition (chance: Chance, i: number): string {
  const name = chance.pick(['file', `file-${i}`, 'file?mode=0644&mtime=1700000000&mtime-nsecs=5', 'file?mode=99999999999', 'dir-2?mtime=-1', 'file?mode=%zz', 'data'])
  const filename = fileName(chance, i)
  return chance.pick([
    `form-data; name="${name}"; filename="${filename}"`, `form-data; name="${name}"; filename="${filename}"`, `attachment; filename="${filename}"`, `form-data; name="${name}"`,
    `form-data; name=${name}; filename=${filename}`, `form-data; filename*=utf-8''${filename}`, 'form-data', `form-data; name="a"; name="b"; filename="${filename}"`, ''
  ])
}

function fileName (chance: Chance, i: number): string {
  const deep = `${'d/'.repeat(chance.size(chance.oneIn(200) ? 20_000 : 40))}f${i}`
  return chance.pick([`f${i}`, `d/f${i}`, 'd', 'd%2Fsub%2Fg', '..%2F..%2Fetc', '/', '', '.', 'a%20b', 'a+b', '%', '%zz', 'x\xff\xfe', '%C3%BC', 'q"uote', 'x'.repeat(chance.size(3_000)), deep, 'f0'])
}

const partType = (chance: Chance): string => chance.pick(['application/octet-stream', 'application/octet-stream', 'application/x-directory', 'application/symlink', 'multipart/form-data', 'text/plain; charset=utf-8', '', ';', 'a/b; c="'])

function extraHeaders (chance: Chance): readonly string[] {
  if (!chance.oneIn(6)) return []
  return [chance.pick(['Content-Transfer-Encoding: quoted-printable', 'abspath-encoded: %2Fetc%2Fpasswd', 'Content-Length: 5', 'X: y', 'no colon', ' folded', ': nameless', `X-Long: ${'y'.repeat(chance.size(100_000))}`, 'Content-Encoding: gzip'])]
}

/** What a file may hold. */
export function fileBytes (chance: Chance): Buffer {
  return chance.oneIn(3) ? Buffer.from(chance.pick(['hello world\n', '', '\r\n--b', '\r\n--b--\r\n', '--boundary', '=\r\n=20=zz', '\r'])) : chance.bytes(chance.size(chance.oneIn(20) ? 600_000 : 2_000))
}

/** A CAR of version 1 or 2 with some blocks that are linked, and some things wrong with it. */
export function carBytes (chance: Chance): Buffer {
  const blocks: { readonly cid: CID, readonly bytes: Uint8Array }[] = []
  for (let i = 0; i < 1 + chance.size(8); i++) {
    const links = blocks.filter(() => chance.oneIn(2)).map(({ cid }) => cid)
    blocks.push(links.length > 0 ? blockOf(dagCbor, encodeCbor({ i, links })) : blockOf(raw, chance.bytes(chance.size(500))))
  }
  const roots = chance.pick([[blocks.at(-1)!.cid], blocks.map(({ cid }) => cid), [], [blockOf(raw, Buffer.from('missing')).cid]])
  const sections = blocks.map(({ cid, bytes }) => carSection(cid, bytes))
  const one = Buffer.concat([carHeader(roots), ...chance.oneIn(4) ? sections.reverse() : sections])
  const whole = chance.oneIn(4) ? version2(one, chance) : one
  return chance.oneIn(3) ? whole : mutate(whole, chance)
}

const pragma = Buffer.from('0aa16776657273696f6e02', 'hex')

function version2 (payload: Buffer, chance: Chance): Buffer {
  const padding = chance.oneIn(2) ? 0 : chance.size(200)
  const header = Buffer.alloc(40)
  header.writeBigUInt64LE(BigInt(pragma.length + header.length + padding), 16)
  header.writeBigUInt64LE(BigInt(chance.oneIn(5) ? chance.below(2 ** 31) : payload.length), 24)
  return Buffer.concat([pragma, header, Buffer.alloc(padding), payload, chance.bytes(chance.oneIn(2) ? 0 : chance.size(100))])
}

/** The lines of arguments that a command takes in its body. */
export function argumentLines (chance: Chance, cids: readonly string[]): Buffer {
  const lines = Array.from({ length: chance.size(30) }, () => chance.pick([...cids, '', 'nonsense', '/ipfs/', '/ipfs/x/y', '\xff']))
  return Buffer.from(lines.join(chance.pick(['\n', '\r\n'])), 'latin1')
}

function blockOf (codec: number, bytes: Uint8Array): { readonly cid: CID, readonly bytes: Uint8Array } {
  return { cid: CID.createV1(codec, create(0x12, hash('sha256', bytes, 'buffer'))), bytes }
}
