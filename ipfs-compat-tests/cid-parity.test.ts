/** The importer gives Kubo's CIDs, names and sizes: for all recorded adds it takes on, and beside the Kubo that `IPFS_BIN` names. */
import t from 'tap'
import { buildEntries } from '../adder/build.ts'
import { addEntries } from '../adder/entries.ts'
import type { AddedOutput } from '../adder/output.ts'
import { importerLayout } from '../adder/params.ts'
import { addOptions } from '../cluster/api/kubo/add-options.ts'
import type { AddOptions, ImportSettings } from '../adder/params.ts'
import { multipartBoundary, readMultipart } from '../cluster/api/kubo/multipart.ts'
import { parseKuboRequest } from '../cluster/api/kubo/request.ts'
import { startDaemon } from './harness/kubo.ts'
import { loadGroups } from './harness/recordings/recording.ts'
import type { RecordedCase } from './harness/recordings/recording.ts'
import { pseudoRandom, requestBody } from './harness/recordings/request-bytes.ts'
import { multipartOf, upload, uploadBoundary } from './harness/upload.ts'
import type { UploadPart } from './harness/upload.ts'

/** Kubo writes thousands of small blocks for these. */
t.setTimeout(900_000)
const command = { path: 'add', args: [{ name: 'path', kind: 'file', required: true, variadic: true, stdin: true }], options: addOptions } as const
/** What the profile that some recordings were made with writes into the configuration. */
const settingsOf: Readonly<Record<string, ImportSettings>> = {
  'unixfs-v1-2025': { CidVersion: 1, UnixFSRawLeaves: true, UnixFSChunker: 'size-1048576', UnixFSFileMaxLinks: 1024, UnixFSHAMTDirectorySizeEstimation: 'block', UnixFSDAGLayout: 'balanced' }
}

interface Line { readonly Name: string, readonly Hash: string, readonly Size: string }

const optionsOf = (query: string): AddOptions => parseKuboRequest(command, { pathArgument: undefined, rawQuery: query, body: 'multipart' }).options

/** The lines the importer would give, or undefined where it leaves the add to the daemon. */
async function importerLines (body: Uint8Array, boundary: string, options: AddOptions, settings: ImportSettings): Promise<Line[] | undefined> {
  const layout = importerLayout(options, settings)
  if (layout === undefined) return undefined
  const outputs: AddedOutput[] = []
  const source = (async function * () { yield body })()
  await buildEntries(addEntries(readMultipart(source, boundary)), { options, layout, take: () => {}, tell: ({ output }) => { if (output !== undefined) outputs.push(output) } })
  return outputs.filter(output => output.kind === 'added').map(({ name, cid, size }) => ({ Name: name, Hash: cid.toString(), Size: String(size) }))
}

const linesOf = (text: string): Line[] => text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Line)
  .filter(({ Hash }) => Hash !== undefined).map(({ Name, Hash, Size }) => ({ Name, Hash, Size }))

/** A recorded add that went well, of a body that is whole, printed in the CIDs' own bases. */
function isComparable ({ request: { path, headers }, response: { status, trailers, body } }: RecordedCase): boolean {
  return /^\/api\/v0\/add(\?|$)/.test(path) && !/cid-base|encoding=(?!json)/.test(path) && headers.some(([name]) => name === 'Content-Type') &&
    status === 200 && trailers.length === 0 && typeof body === 'string'
}

for (const group of await loadGroups()) {
  const cases = group.cases.filter(isComparable)
  if (cases.length === 0) continue
  t.test(`the recorded adds of ${group.group}`, async t => {
    let taken = 0
    for (const { name, request: { path, headers, body }, response } of cases) {
      const options = optionsOf(path.split('?')[1] ?? '')
      const boundary = multipartBoundary(headers.find(([key]) => key === 'Content-Type')![1])!
      const lines = await importerLines(requestBody(body, {}), boundary, options, settingsOf[group.daemon.profile ?? ''] ?? {})
      if (lines === undefined) continue
      taken++
      t.strictSame(lines, linesOf(response.body as string), name)
    }
    t.ok(taken > 0, `${taken} of ${cases.length} by the importer`)
  })
}

const file = (length: number, extra: Partial<UploadPart> = {}): UploadPart => ({ body: pseudoRandom(`parity-${length}`, length), ...extra })
const directory = (filename: string, extra: Partial<UploadPart> = {}): UploadPart => ({ filename, type: 'application/x-directory', body: '', ...extra })
const many = (count: number, name: (i: number) => string): UploadPart[] => [directory('m'), ...Array.from({ length: count }, (_, i) => ({ filename: `m%2F${encodeURIComponent(name(i))}`, body: `${i}` }))]

/** Around a full chunk, a full node, and full trees of two and three levels, with five links a node. */
const sizes = [0, 1, 15, 16, 17, 80, 81, 16 * 25, 16 * 25 + 1, 16 * 125, 16 * 125 + 1].map(length => [`${length} bytes`, [file(length)]] as const)
const fileOptions = ['cid-version=0', 'cid-version=1', 'raw-leaves=true', 'cid-version=1&raw-leaves=false'].map(options => `chunker=size-16&max-file-links=5&${options}`)
const tree = [directory('t'), file(20, { filename: 't%2Fz' }), directory('t%2Fempty'), file(3, { filename: 't%2F%C3%BC' }), { filename: 't%2Flink', type: 'application/symlink', body: '../z' }, file(70_000, { filename: 't%2Fa%2Fb%2Fc' })]
const marked = [directory('t', { field: 'file?mode=020000000750&mtime=1500000000' }), directory('t%2Fs', { field: 'file?mode=020040000755&mtime=1&mtime-nsecs=5' }), file(300_000, { filename: 't%2Fa', field: 'file?mode=0644&mtime=-5&mtime-nsecs=999' }), { filename: 't%2Fl', type: 'application/symlink', body: 'a', field: 'file?mtime=7' }, file(2, { filename: 'u%2Fv', field: 'file?mode=0755' })]
const metadataOptions = ['mode=0644', 'mode=0755&cid-version=1', 'mtime=1700000000&mtime-nsecs=5', 'mtime=-1', 'mode=0&mtime=0', 'preserve-mode=true', 'preserve-mtime=true', 'preserve-mode=true&preserve-mtime=true&w=true']
/** 34 bytes of CID and 222 of name are 256: 1,024 entries are exactly the threshold. */
const exact = (i: number): string => `${'n'.repeat(218)}${String(i).padStart(4, '0')}`

const matrix: readonly (readonly [string, readonly (readonly [string, readonly UploadPart[]])[], readonly string[]])[] = [
  ['files of all sizes around a node', sizes, [...fileOptions, 'chunker=size-16&max-file-links=2']],
  ['a node of as many links as Kubo allows', [['174 chunks', [file(174 * 8)]], ['175 chunks', [file(175 * 8)]]], ['chunker=size-8', 'chunker=size-8&max-file-links=1024']],
  ['chunks of all sizes', [['600,000 bytes', [file(600_000)]]], ['', 'chunker=size-299999', 'chunker=size-300000', 'chunker=size-2096896', 'chunker=default', 'cid-version=1']],
  ['trees', [['a tree', tree], ['two at the top', [...tree, file(5), file(6, { filename: '' })]]], ['', 'w=true', 'cid-version=1', 'empty-dirs=false', 'silent=true', 'raw-leaves=true&w=true']],
  ['permissions and times', [['a file', [file(12)]], ['an empty file', [file(0)]], ['a long file', [file(600_000)]], ['a marked tree', marked]], metadataOptions],
  ['directories around the size where they are sharded', [['1,024 names', many(1_024, exact)], ['1,025 names', many(1_025, exact)], ['more in bytes than in characters', many(700, i => `${'ü'.repeat(120)}${i}`)], ['1,200 names', many(1_200, exact)]], ['', 'cid-version=1', 'max-hamt-fanout=8', 'max-hamt-fanout=1024', 'mode=0700&mtime=5', 'w=true']]
]

for (const profile of [undefined, 'unixfs-v1-2025']) {
  t.test(`beside a Kubo ${profile === undefined ? 'as it comes' : `with the profile ${profile}`}`, { skip: (process.env['IPFS_BIN'] ?? '') === '' ? 'IPFS_BIN names no Kubo' : false }, async t => {
    await using daemon = await startDaemon(profile === undefined ? {} : { profile })
    const settings = (await (await fetch(`http://${daemon.host}:${daemon.port}/api/v0/config/show`, { method: 'POST' })).json() as { Import: ImportSettings }).Import
    for (const [title, uploads, queries] of matrix) {
      await t.test(title, async t => {
        for (const [what, parts] of uploads) {
          for (const query of queries) {
            const body = multipartOf(parts)
            const ours = await importerLines(body, uploadBoundary, optionsOf(query), settings)
            if (ours === undefined) continue // Kubo's own affair
            // Not only-hash: then Kubo forgets its limits of directories, and fails where a directory has permissions.
            const theirs = await upload(daemon.port, `add?pin=false&${query}`, body)
            t.strictSame(ours, linesOf(theirs.text), `${what} with ${query === '' ? 'no options' : query}`)
          }
        }
      })
    }
  })
}
