import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { jsonKeyOf, variableOf } from '../cluster/config/section.ts'
import type { Field, Section } from '../cluster/config/section.ts'
import { sections } from './service/sections.ts'

const root = new URL('../', import.meta.url)
/** Where each section's table is written, and with it what is said about each setting. */
const tables: Readonly<Record<keyof typeof sections, string>> = {
  cluster: 'cluster/config/cluster-section.ts',
  raft: 'cluster/consensus/config.ts',
  etcd: 'cluster/consensus/etcd/config.ts',
  proxy: 'proxy/config.ts',
  rest: 'cluster/rest/config.ts',
  ipfsHttp: 'cluster/ipfs/config.ts',
  embedded: 'bin/service/sections.ts',
  pinTracker: 'cluster/pintracker/config.ts',
  monitor: 'cluster/monitor/config.ts',
  balanced: 'cluster/allocator/config.ts',
  disk: 'cluster/informer/config.ts',
  tags: 'cluster/informer/config.ts',
  pinQueue: 'cluster/informer/config.ts',
  stats: 'cluster/stats/config.ts'
}
export const docPath: string = fileURLToPath(new URL('docs/configuration.md', root))

const head = `# Configuration

<!-- Written by \`npm run docs\` from the tables of settings in the code; a test keeps it up to date. -->

Everything is in one folder: \`~/.ipfs-cluster\`, or where \`IPFS_CLUSTER_PATH\` or \`--config\` say. \`npm start\` and
\`ipfs-cluster-service init\` write \`service.json\` and \`identity.json\` there, readable by their owner only.

* \`service.json\` has the sections and key names of ipfs-cluster, so a file of the Go program can be used as it is: keys that have no
  meaning here are named in one warning. Any other key that is not in the tables below is an error. A file for CRDT is refused;
  \`ipfs-cluster-service config convert\` makes one for Raft of it ([moving from Go ipfs-cluster](migrate-from-go.md)).
* \`ipfs-cluster-service config show\` prints what takes effect, secrets hidden; \`config check\` says whether it is understood.
* \`{"source": "https://…"}\` in the file has the rest fetched from there at each start; \`init https://…\` writes such a file. What stands beside
  \`source\` wins over what is fetched. What was fetched last is kept in \`service.source.json\` and used when the address does not answer. What
  is fetched may not change what is marked **secret** or **own** below: the peer refuses to start then.
* A variable wins over the file, the file over the default. A variable that is set but empty counts as not set. \`init\` writes the variables
  it finds into the file.
* Durations are written like \`15s\` or \`1m30s\`. Lists are JSON arrays, in variables texts with commas between; maps are JSON objects, in
  variables those or \`key:value,key:value\`. Switches are \`true\` and \`false\`, in variables also in Go's other spellings (\`1\`, \`T\`, \`True\`, …).
* Of \`consensus.raft\` and \`consensus.etcd\` the file has one: it says by what the peers agree ([consensus.md](consensus.md)).
* An API whose section is not in the file is off.
* \`identity.json\` holds the peer id and its private key; \`CLUSTER_ID\` and \`CLUSTER_PRIVATEKEY\` stand over it.
* Settings marked **secret** are never printed.
* \`CLUSTER_CRDT_TRUSTEDPEERS\` is another name of \`CLUSTER_RAFT_TRUSTEDPEERS\`. \`follower_mode\` is refused: which peers only store is agreed on
  ([cluster.md](cluster.md#peers-that-only-store)), no peer says it of itself alone.
`

/** The whole page. */
export async function configurationDoc (): Promise<string> {
  const parts = await Promise.all(Object.entries(sections).map(async ([name, section]) => await sectionDoc(section, tables[name as keyof typeof tables])))
  return `${head}${parts.join('')}`
}

async function sectionDoc (section: Section, table: string): Promise<string> {
  const said = docstrings(await readFile(new URL(table, root), 'utf8'))
  const rows = Object.entries(section.fields).map(([name, field]) => {
    const what = said.get(name)
    if (what === undefined) throw new Error(`${table}: ${name} has no docstring, so nothing can be said about it`)
    return `| \`${jsonKeyOf(name)}\`<br>\`${variableOf(section.envPrefix, name)}\` | ${cell(what)}${field.secret === true ? ' **Secret.**' : ''}${field.isLocal === true ? ' **Own.**' : ''} | ${cell(field.expects)} | ${defaultOf(field)} |\n`
  })
  return `\n## ${section.path}\n\n| Setting | What it does | Expected | Default |\n|---|---|---|---|\n${rows.join('')}`
}

/** What stands above each key of a table, as one line. */
function docstrings (source: string): Map<string, string> {
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+(\w+):/g)
  return new Map([...found].map(([, comment, name]) => [name!, comment!.split('\n').map(line => line.replace(/^\s*\* ?/, '').trim()).filter(line => line !== '').join(' ')]))
}

function defaultOf ({ fallback, fallbackInWords, write }: Field<unknown>): string {
  if (fallbackInWords !== undefined) return fallbackInWords
  const written = write(fallback)
  if (written === undefined || (Array.isArray(written) && written.length === 0)) return 'none'
  return typeof written === 'object' && Object.keys(written as object).length === 0 ? 'none' : `\`${typeof written === 'string' ? written : JSON.stringify(written)}\``
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
