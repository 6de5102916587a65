import t from 'tap'
import { importerLayout } from './params.ts'
import type { AddOptions, ImportSettings } from './params.ts'

/** What a real Kubo is asked for most is the importer's; the rest is the daemon's. */
const byImporter: readonly (readonly [string, AddOptions, ImportSettings?])[] = [
  ['nothing', {}],
  ['what the command line sends', { 'empty-dirs': true, 'inline-limit': 32, pin: true, progress: true, recursive: true }],
  ['CIDv1', { 'cid-version': 1 }],
  ['raw leaves', { 'raw-leaves': true }],
  ['the usual hash by name', { hash: 'SHA2-256' }],
  ['chunks of a size', { chunker: 'size-1048576' }],
  ['an empty chunker', { chunker: '' }],
  ['a balanced layout, said', { trickle: false }, { UnixFSDAGLayout: 'trickle' }],
  ['permissions and a time', { mode: 0o644, mtime: 5n, 'mtime-nsecs': 7 }],
  ['the profile of 2025', {}, { CidVersion: 1, UnixFSRawLeaves: true, UnixFSChunker: 'size-1048576', UnixFSFileMaxLinks: 1024, UnixFSHAMTDirectorySizeEstimation: 'block' }],
  ['settings that say nothing', {}, { CidVersion: null, UnixFSRawLeaves: null, UnixFSChunker: null, HashFunction: null, UnixFSHAMTDirectorySizeThreshold: null }]
]

const byDaemon: readonly (readonly [string, AddOptions, ImportSettings?])[] = [
  ['another hash', { hash: 'blake3' }],
  ['another hash by configuration', {}, { HashFunction: 'blake2b-256' }],
  ['chunks by content', { chunker: 'buzhash' }],
  ['rabin', { chunker: 'rabin-512-1024-2048' }],
  ['chunks Kubo refuses', { chunker: 'size-0' }],
  ['chunks larger than Kubo allows', { chunker: 'size-2096897' }],
  ['trickle', { trickle: true }],
  ['trickle by configuration', {}, { UnixFSDAGLayout: 'trickle' }],
  ['inline', { inline: true }],
  ['the files API', { 'to-files': '/' }],
  ['the filestore', { fscache: true }],
  ['a version there is not', { 'cid-version': 2 }],
  ['a limit of links in directories', { 'max-directory-links': 2 }],
  ['one link a node', { 'max-file-links': 1 }],
  ['a fanout Kubo refuses', { 'max-hamt-fanout': 7 }],
  ['raw leaves with permissions', { 'raw-leaves': true, mode: 0o644 }],
  ['raw leaves by configuration with permissions', { 'preserve-mode': true }, { UnixFSRawLeaves: true }],
  ['nanoseconds of no time', { 'mtime-nsecs': 5 }],
  ['no sharding', {}, { UnixFSHAMTDirectorySizeEstimation: 'disabled' }],
  ['a threshold spelt in a way unknown here', {}, { UnixFSHAMTDirectorySizeThreshold: '1 lot' }]
]

for (const [what, options, settings = {}] of byImporter) {
  t.test(`${what}: the importer builds`, async t => {
    t.not(importerLayout(options, settings), undefined)
  })
}

for (const [what, options, settings = {}] of byDaemon) {
  t.test(`${what}: the daemon adds`, async t => {
    t.equal(importerLayout(options, settings), undefined)
  })
}

t.test('an option wins over the configuration, and that over what is usual', async t => {
  const settings = { CidVersion: 1, UnixFSChunker: 'size-1000', UnixFSFileMaxLinks: 10, UnixFSHAMTDirectorySizeThreshold: '1KiB' }

  t.match(importerLayout({}, settings), { file: { cidVersion: 1, rawLeaves: true, chunkBytes: 1_000, fileLinksMax: 10 }, directory: { shardAboveBytes: 1_024 } })
  t.match(importerLayout({ 'cid-version': 0, chunker: 'size-5' }, settings), { file: { cidVersion: 0, rawLeaves: false, chunkBytes: 5 } })
  t.match(importerLayout({}, {}), { file: { cidVersion: 0, rawLeaves: false, chunkBytes: 262_144, fileLinksMax: 174 }, directory: { shardAboveBytes: 262_144, hamtFanout: 256 } })
})

t.test('what stores permissions has no raw leaves', async t => {
  t.match(importerLayout({ 'cid-version': 1, 'preserve-mtime': true }, {}), { file: { cidVersion: 1, rawLeaves: false } })
})
