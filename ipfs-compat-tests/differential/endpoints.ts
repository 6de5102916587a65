import { flag, integer, pinName, text } from './values.ts'
import type { Choice } from './values.ts'

/** What a command takes, as far as requests for it are made up here. */
export interface Endpoint {
  readonly path: string
  /** How many requests are for it, beside the others. */
  readonly weight: number
  /** What its arguments are; one more or less than these is asked for now and then. */
  readonly args: readonly ('content' | 'file' | 'word')[]
  readonly isVariadic?: boolean
  /** Of the body: further arguments a line each, or what is uploaded. */
  readonly body?: 'lines' | 'files' | 'cars' | 'nodes' | 'blocks'
  readonly choices: readonly Choice[]
}

/** With one link a node a file never ends, in Kubo too. */
const fileLinks = text(['max-file-links'], '2', '3', '174', '0x10', 'x', '1.5')
const announced = [flag('fast-provide-root'), flag('fast-provide-dag'), flag('fast-provide-wait')]
const hashes = text(['hash', 'mhtype'], 'sha2-256', 'sha2-512', 'blake2b-256', 'blake3', 'sha1', 'md5', 'identity', 'nope', '', 'SHA2-256', 'sha3-256')

const pins: readonly Endpoint[] = [
  { path: 'pin/add', weight: 10, args: ['content'], isVariadic: true, body: 'lines', choices: [flag('recursive', 'r'), pinName('name', 'n'), flag('progress'), ...announced] },
  { path: 'pin/rm', weight: 7, args: ['content'], isVariadic: true, body: 'lines', choices: [flag('recursive', 'r')] },
  { path: 'pin/ls', weight: 10, args: ['content'], isVariadic: true, choices: [text(['type', 't'], 'all', 'recursive', 'direct', 'indirect', 'recursive', 'direct', 'internal', '', 'All', 'any'), flag('quiet', 'q'), pinName('name', 'n'), flag('stream', 's'), flag('names')] },
  { path: 'pin/update', weight: 7, args: ['content', 'content'], choices: [flag('unpin'), ...announced] },
  { path: 'pin/verify', weight: 2, args: [], choices: [flag('verbose'), flag('quiet', 'q')] }
]

const uploads: readonly Endpoint[] = [
  {
    path: 'add', weight: 10, args: [], body: 'files',
    choices: [
      flag('recursive', 'r'), flag('quiet', 'q'), flag('quieter', 'Q'), flag('silent'), flag('progress', 'p'), flag('only-hash', 'n'), flag('wrap-with-directory', 'w'), flag('pin'), pinName('pin-name'), flag('hidden', 'H'), flag('empty-dirs', 'E'),
      text(['to-files'], '/', '', '/new', '/m', '/m/', '/m/hello', '/no/such', 'rel', '/m/new'), integer(['cid-version'], ['1', '1', '0']), hashes, flag('raw-leaves'),
      text(['chunker', 's'], 'size-262144', 'size-1024', 'size-0', 'size-2096897', 'rabin', 'rabin-256-1024-4096', 'buzhash', 'default', '', 'nope', 'size-x'), flag('trickle', 't'),
      fileLinks, integer(['max-directory-links'], ['2']), integer(['max-hamt-fanout'], ['8', '256', '7', '1024', '2048']), flag('inline'), integer(['inline-limit'], ['32', '128', '129', '5']),
      flag('nocopy'), flag('fscache'), flag('preserve-mode'), flag('preserve-mtime'), integer(['mode'], ['0644', '0o755', '420', '4294967296']), integer(['mtime'], ['1700000000', '-5']), integer(['mtime-nsecs'], ['5', '1000000000']), ...announced
    ]
  },
  { path: 'dag/import', weight: 7, args: [], body: 'cars', choices: [flag('pin-roots'), flag('local-only'), flag('silent'), flag('stats'), flag('allow-big-block'), ...announced] },
  {
    path: 'dag/put', weight: 5, args: [], body: 'nodes',
    choices: [flag('pin'), flag('pin'), text(['store-codec'], 'dag-cbor', 'dag-json', 'dag-pb', 'raw', 'cbor', 'json', 'nope', ''), text(['input-codec'], 'dag-json', 'dag-cbor', 'json', 'raw', 'nope'), hashes, flag('allow-big-block')]
  },
  {
    path: 'block/put', weight: 5, args: [], body: 'blocks',
    choices: [flag('pin'), flag('pin'), text(['cid-codec'], 'raw', 'dag-pb', 'dag-cbor', 'nope', '', '0x55', '85'), text(['format', 'f'], 'v0', 'protobuf', 'cbor', 'raw', 'nope', ''), hashes, integer(['mhlen'], ['32', '20', '64']), flag('allow-big-block')]
  }
]

const stores: readonly Endpoint[] = [
  { path: 'block/rm', weight: 5, args: ['content'], isVariadic: true, choices: [flag('force', 'f'), flag('quiet', 'q')] },
  { path: 'repo/stat', weight: 2, args: [], choices: [flag('size-only', 's'), flag('human', 'H')] },
  { path: 'stats/repo', weight: 1, args: [], choices: [flag('size-only', 's'), flag('human', 'H')] },
  { path: 'repo/gc', weight: 3, args: [], choices: [flag('stream-errors'), flag('quiet', 'q'), flag('silent')] },
  { path: 'repo/version', weight: 1, args: [], choices: [flag('quiet', 'q')] },
  { path: 'refs/local', weight: 1, args: [], choices: [] },
  { path: 'block/stat', weight: 1, args: ['content'], choices: [] },
  { path: 'block/get', weight: 1, args: ['content'], body: 'lines', choices: [] }
]

const reads: readonly Endpoint[] = [
  { path: 'refs', weight: 2, args: ['content'], isVariadic: true, body: 'lines', choices: [text(['format'], '<src> -> <dst>', '<linkname>'), flag('edges', 'e'), flag('unique', 'u'), flag('recursive', 'r'), integer(['max-depth'])] },
  { path: 'ls', weight: 1, args: ['content'], isVariadic: true, body: 'lines', choices: [flag('headers', 'v'), flag('resolve-type'), flag('size'), flag('stream', 's'), flag('long', 'l')] },
  { path: 'cat', weight: 1, args: ['content'], isVariadic: true, body: 'lines', choices: [integer(['offset', 'o']), integer(['length', 'l']), flag('progress', 'p')] },
  { path: 'dag/get', weight: 1, args: ['content'], body: 'lines', choices: [text(['output-codec'], 'dag-json', 'dag-cbor', 'raw', 'nope')] },
  { path: 'dag/resolve', weight: 1, args: ['content'], choices: [] },
  { path: 'dag/stat', weight: 1, args: ['content'], isVariadic: true, choices: [flag('progress', 'p')] },
  { path: 'dag/export', weight: 1, args: ['content'], choices: [flag('progress', 'p'), flag('local-only')] },
  { path: 'resolve', weight: 1, args: ['content'], choices: [flag('recursive', 'r')] },
  { path: 'version', weight: 1, args: [], choices: [flag('number', 'n'), flag('commit'), flag('all')] },
  { path: 'swarm/peers', weight: 1, args: [], choices: [flag('verbose', 'v'), flag('streams')] },
  { path: 'pin/remote/ls', weight: 1, args: [], choices: [text(['service'], 'x', ''), text(['name'], 'n')] },
  { path: 'pin', weight: 1, args: [], choices: [] },
  { path: 'nosuch', weight: 1, args: ['word'], choices: [flag('x')] }
]

const files: readonly Endpoint[] = [
  { path: 'files/ls', weight: 1, args: ['file'], choices: [flag('long', 'l'), flag('U')] },
  { path: 'files/stat', weight: 1, args: ['file'], choices: [flag('hash'), flag('size'), flag('with-local')] },
  { path: 'files/read', weight: 1, args: ['file'], choices: [integer(['offset', 'o']), integer(['count', 'n'])] },
  { path: 'files/write', weight: 2, args: ['file'], body: 'blocks', choices: [flag('create', 'e'), flag('parents', 'p'), flag('truncate', 't'), integer(['offset', 'o']), integer(['count', 'n']), flag('raw-leaves'), integer(['cid-version', 'cid-ver'], ['1']), hashes, flag('flush', 'f')] },
  { path: 'files/cp', weight: 1, args: ['file', 'file'], choices: [flag('force'), flag('parents', 'p')] },
  { path: 'files/mv', weight: 1, args: ['file', 'file'], choices: [] },
  { path: 'files/rm', weight: 1, args: ['file'], isVariadic: true, choices: [flag('recursive', 'r'), flag('force'), flag('flush', 'f')] },
  { path: 'files/mkdir', weight: 1, args: ['file'], choices: [flag('parents', 'p'), integer(['cid-version'], ['1'])] },
  { path: 'files/flush', weight: 1, args: ['file'], choices: [] }
]

export const endpoints: readonly Endpoint[] = [...pins, ...uploads, ...stores, ...reads, ...files]
