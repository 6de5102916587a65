import { argumentLines, carBytes, fileBytes, multipartBody } from './bodies.ts'
import type { Body } from './bodies.ts'
import { mutate } from './mutate.ts'
import type { Chance } from './random.ts'

interface Shape {
  readonly options: readonly string[]
  /** Arguments in the query. */
  readonly arguments: number
  readonly body?: (chance: Chance, cids: readonly string[]) => Body
}

const files = (chance: Chance): Body => multipartBody(chance, () => fileBytes(chance))
const cars = (chance: Chance): Body => multipartBody(chance, () => carBytes(chance))
const lines = (chance: Chance, cids: readonly string[]): Body => multipartBody(chance, () => argumentLines(chance, cids))
const json = (chance: Chance): Body => multipartBody(chance, () => chance.oneIn(2) ? Buffer.from(chance.pick(['{"a":1}', '{"/":"x"}', '{', '[[[[', '{"a":{"/":{"bytes":"AA"}}}', 'null', '"\\ud800"', `${'['.repeat(5_000)}`])) : fileBytes(chance))

const booleans = ['true', 'false', '1', '0', '', 't', 'F', 'yes', '-1', 'TRUE']
const numbers = ['0', '1', '-1', '0x10', '174', '99999999999999999999', '1.5', '', 'a', '1_0']
const texts = ['', 'a', 'x'.repeat(256), 'sha2-256', 'blake3', 'size-1', 'size-262144', 'size-0', 'rabin-1-2-3', 'rabin', 'buzhash', 'dag-pb', 'raw', 'dag-cbor', '/a', '%ff', '%00', 'base32', 'base58btc', 'identity', 'all', 'recursive', 'indirect', 'direct']
const times = ['1ns', '1ms', '300ms', '5', '-1s', '9999999h', '1h1', '', 'abc']

/** What is asked: mostly what the proxy answers itself, for that is what it reads. */
const shapes: Readonly<Record<string, Shape>> = {
  'add': { arguments: 0, body: files, options: ['recursive', 'silent', 'progress', 'only-hash', 'wrap-with-directory', 'pin', 'pin-name', 'to-files', 'cid-version', 'hash', 'raw-leaves', 'chunker', 'trickle', 'max-file-links', 'max-directory-links', 'max-hamt-fanout', 'inline', 'inline-limit', 'nocopy', 'preserve-mode', 'mode', 'mtime', 'mtime-nsecs', 'w', 's', 'n'] },
  'dag/import': { arguments: 0, body: cars, options: ['pin-roots', 'local-only', 'silent', 'stats', 'allow-big-block', 'fast-provide-root'] },
  'block/put': { arguments: 0, body: files, options: ['cid-codec', 'mhtype', 'mhlen', 'pin', 'allow-big-block', 'format'] },
  'dag/put': { arguments: 0, body: json, options: ['store-codec', 'input-codec', 'pin', 'hash'] },
  'pin/add': { arguments: 2, body: lines, options: ['recursive', 'name', 'progress', 'r', 'n'] },
  'pin/rm': { arguments: 2, body: lines, options: ['recursive', 'r'] },
  'pin/ls': { arguments: 1, options: ['type', 't', 'quiet', 'name', 'stream', 'names', 's', 'n'] },
  'pin/update': { arguments: 2, options: ['unpin'] },
  'block/rm': { arguments: 2, options: ['force', 'quiet'] },
  'repo/stat': { arguments: 0, options: ['size-only', 'human'] },
  'repo/gc': { arguments: 0, options: ['stream-errors', 'silent', 'quiet'] },
  'refs': { arguments: 1, body: lines, options: ['recursive', 'format', 'edges', 'max-depth'] },
  'cat': { arguments: 1, options: ['offset', 'length'] },
  'dag/get': { arguments: 1, options: ['output-codec'] },
  'files/write': { arguments: 1, body: files, options: ['create', 'offset', 'truncate', 'count'] },
  'version': { arguments: 0, options: ['all'] },
  'no/such': { arguments: 1, body: files, options: [] }
}
const weighted = [...Object.keys(shapes), 'add', 'add', 'add', 'add', 'dag/import', 'dag/import', 'dag/import', 'dag/import', 'pin/add', 'pin/add', 'block/put', 'dag/put']

/** A request's line and headers without their framing, and its body. */
export interface Asked { readonly command: string, readonly target: Buffer, readonly headers: readonly string[], readonly body: Buffer | undefined }

export function randomRequest (chance: Chance, cids: readonly string[]): Asked {
  const command = chance.pick(weighted)
  const shape = shapes[command]!
  const body = shape.body === undefined || chance.oneIn(8) ? undefined : shape.body(chance, cids)
  const written = chance.oneIn(30) ? command.replace(/[a-z]/, letter => `%${letter.charCodeAt(0).toString(16)}`) : command
  const pathArgument = chance.oneIn(12) ? `/${chance.pick([...cids, '', 'x', '%2e%2e', '%ff'])}` : ''
  const query = queryBytes(chance, shape, cids)
  return {
    command,
    target: Buffer.concat([Buffer.from(`/api/v0/${written}${pathArgument}${query.length > 0 ? '?' : ''}`), query]),
    headers: [...body === undefined ? [] : [`Content-Type: ${body.contentType}`], ...chance.oneIn(15) ? [chance.pick(['Origin: http://evil.example', 'Origin: http://localhost:5001', 'Referer: x', 'User-Agent: Mozilla/5.0', 'Authorization: Bearer x', 'TE: trailers', 'Accept-Encoding: gzip'])] : []],
    body: body?.bytes
  }
}

function queryBytes (chance: Chance, { options, arguments: count }: Shape, cids: readonly string[]): Buffer {
  const args = Array.from({ length: count === 0 ? 0 : chance.below(count + 2) }, () => `arg=${chance.pick([...cids, ...cids, 'x', '', '/ipfs/', `/ipfs/${cids[0]}/a`, '%ff', 'Qm', 'ipfs://bafkqaaa'])}`)
  const pairs = options.filter(() => chance.oneIn(Math.max(3, options.length / 2))).map(name => `${name}${chance.oneIn(10) ? '' : `=${chance.pick(chance.pick([booleans, booleans, numbers, texts]))}`}`)
  const common = [...chance.oneIn(4) ? [`timeout=${chance.pick(times)}`] : [], ...chance.oneIn(8) ? [`encoding=${chance.pick(['json', 'xml', 'text', 'textnl', 'protobuf', 'octet-stream', 'foo', ''])}`] : [], ...chance.oneIn(8) ? [`cid-base=${chance.pick(texts)}`] : [], ...chance.oneIn(10) ? [`offline=${chance.pick(booleans)}`] : []]
  const all = [...args, ...pairs, ...common, ...chance.oneIn(15) ? ['junk=;', '%zz=1', 'a;b', `long=${'y'.repeat(chance.size(200_000))}`].slice(0, 1 + chance.below(4)) : []]
  const text = Buffer.from(all.join('&'), 'latin1')
  return chance.oneIn(6) ? printable(mutate(text, chance)) : text
}

/** What a request line can carry: no spaces, no control characters; bytes beyond ASCII it can. */
const printable = (bytes: Buffer): Buffer => Buffer.from(bytes.filter(byte => byte > 0x20 && byte !== 0x7f))
