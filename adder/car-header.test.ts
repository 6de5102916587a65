import t from 'tap'
import { decodeCarHeader } from './car-header.ts'
import { sha256Cid } from './leaf-blocks.ts'

const root = sha256Cid(1, 0x55, Buffer.from('x'))
const rootBytes = Buffer.concat([Buffer.from([0]), root.bytes])
const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x60 + Buffer.byteLength(value)]), Buffer.from(value)])
const hex = (value: string): Buffer => Buffer.from(value, 'hex')
/** A map of two, `roots` and `version`, with these values. */
const head = (roots: string | Buffer, version: string | Buffer = '01'): Buffer =>
  Buffer.concat([hex('a2'), text('roots'), typeof roots === 'string' ? hex(roots) : roots, text('version'), typeof version === 'string' ? hex(version) : version])
const link = (tag: string): Buffer => Buffer.concat([hex(`81${tag}5825`), rootBytes])

const read: readonly (readonly [string, Buffer, string])[] = [
  ['a link', head(link('d82a')), `1 ${root}`],
  ['a link without its tag', head(link('')), `1 ${root}`],
  ['a link with another tag', head(link('c1')), `1 ${root}`],
  ['no roots', head('80'), '1 '],
  ['roots that are null', head('f6'), '1 '],
  ['roots that are undefined', head('f7'), '1 '],
  ['no map but null', hex('f61303'), '0 '],
  ['an empty map', hex('a0'), '0 '],
  ['the keys the other way round', Buffer.concat([hex('a2'), text('version'), hex('01'), text('roots'), hex('80')]), '1 '],
  ['a key that comes twice', Buffer.concat([hex('a3'), text('version'), hex('02'), text('roots'), hex('80'), text('version'), hex('01')]), '1 '],
  ['a version in more bytes than it needs', head('80', '1801'), '1 '],
  ['a version with a tag', head('80', 'd9012c01'), '1 '],
  ['a version beyond 63 bits', head('80', '1bffffffffffffffff'), '18446744073709551615 '],
  ['the smallest negative number of all, which goes round', head('80', '3bffffffffffffffff'), '0 '],
  ['what stands behind the map', Buffer.concat([head('80'), hex('ff')]), '1 ']
]
for (const [what, bytes, wanted] of read) {
  t.test(`the head of a CAR is read as Kubo reads it: ${what}`, async t => {
    const { version, roots } = decodeCarHeader(bytes)

    t.equal(`${version} ${roots.join(' ')}`, wanted)
  })
}

const assigned = (token: string, field: 'slice' | 'uint64'): string => `unmarshal error: cannot assign ${token} to ${field} field`
const misplaced = (kind: string, wanted: string): string => `malformed stream: invalid appearance of ${kind} token; expected ${wanted}`
const unknownKey = (key: string): string => `unmarshal error: stream contains key ${key}, but there's no such field in structs of type carv1.CarHeader`
const refused: readonly (readonly [string, Buffer, string])[] = [
  ['a list', hex('80'), misplaced('array open', 'start of map')],
  ['a float', hex('fb0000000000000000'), misplaced('float', 'start of map')],
  ['a key that is a number', hex('a10101'), misplaced('uint', 'map key')],
  ['a key that is a map', hex('a1a001'), misplaced('map open', 'map key')],
  ['a key that nobody knows', Buffer.concat([hex('a1'), text('x'), hex('01')]), unknownKey('"x"')],
  ['a key in capitals', Buffer.concat([hex('a1'), text('Roots'), hex('80')]), unknownKey('"Roots"')],
  ['a key that is no UTF-8', hex('a161ff01'), unknownKey('"\\xff"')],
  ['roots that are a number', head('01'), misplaced('uint', 'start of array')],
  ['a root that is a number', head('8101'), assigned('<u:1>', 'slice')],
  ['a root that is a negative number with a tag', head('81c520'), assigned('_5:<i:-1>', 'slice')],
  ['a root that is a text', head('8163782201'), assigned('<s:"x\\"\\x01">', 'slice')],
  ['a root that is a list', head('81820102'), assigned('<[:2>', 'slice')],
  ['a root that is null', head('81f6'), 'link value was empty'],
  ['a root of no bytes', head('8140'), 'link value was empty'],
  ['a root without the zero before it', head('81d82a4178'), 'invalid multibase on IPLD link'],
  ['a root that is no CID', head('81d82a420078'), 'link value should have been bytes'],
  ['a root with something behind it', head(Buffer.concat([hex('81d82a5826'), rootBytes, hex('21')])), 'link value should have been bytes'],
  ['a root with two tags', head('81d82ad82a4178'), 'unsupported multiple tags on a single data item'],
  ['more roots announced than a length can be', head('9bffffffffffffffff'), 'cbor: positive integer is out of length'],
  ['a version that is null', head('80', 'f6'), assigned('<0>', 'uint64')],
  ['a version that is true', head('80', 'f5'), assigned('<b:true>', 'uint64')],
  ['a version of bytes', head('80', '420102'), assigned('<x:[1 2]>', 'uint64')],
  ['a version that is a half float', head('80', 'f93c00'), assigned('<f:1>', 'uint64')],
  ['a version that is a small float', head('80', 'fb3ee4f8b588e368f1'), assigned('<f:1e-05>', 'uint64')],
  ['a version that is a large float', head('80', 'fb444b1ae4d6e2ef50'), assigned('<f:1e+21>', 'uint64')],
  ['a version that is not a number', head('80', 'fb7ff8000000000000'), 'cbor: NaN float value rejected'],
  ['an infinite version', head('80', 'fb7ff0000000000000'), 'cbor: infinite float value rejected'],
  ['a negative number of 64 bits', head('80', '3b8000000000000000'), 'cbor: negative integer out of rage of int64 type'],
  ['a list without a length', head('9fff'), 'cbor: indefinite-length encoding rejected'],
  ['a byte that begins nothing', head('80', 'e0'), 'invalid majorByte: 0xe0'],
  ['a length that is none', head('80', '1c'), 'decodeUint: Invalid descriptor: 28'],
  ['a text of 2 GiB', hex('a17a7fffffff6162'), 'cbor: decoding rejected oversized string field: 2147483647 is too large'],
  ['a head that ends between two values', hex('a2'), 'EOF'],
  ['a head that ends in a value', hex('a265726f'), 'unexpected EOF']
]
for (const [what, bytes, message] of refused) {
  t.test(`the head of a CAR is refused in Kubo's words: ${what}`, async t => {
    t.throws(() => decodeCarHeader(bytes), { name: 'CarError', message: `invalid header: ${message}` })
  })
}
