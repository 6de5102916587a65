import { fileURLToPath } from 'node:url'
import { parseEndpoint } from '../cluster/config/endpoint.ts'
import { commandRules, deniedOffLoopback } from '../proxy/command-rules.ts'
import { knownCommands } from '../proxy/kubo-commands.ts'
import type { KnownCommand } from '../proxy/kubo-commands.ts'
import { createRoutes } from '../proxy/routes.ts'
import type { CommandComponents } from '../proxy/routes.ts'
import { rowOf } from './kubo-api-rows.ts'

export const kuboApiPath: string = fileURLToPath(new URL('../docs/kubo-api.md', import.meta.url))

const open = commandRules({ listenMultiaddress: [parseEndpoint('/ip4/0.0.0.0/tcp/9095')], allow: undefined, deny: undefined })

/** Commands are only built here, none is run, so they need no components. */
export const interceptedPaths: ReadonlySet<string> = new Set(createRoutes({} as CommandComponents, { pinWait: 'min' }).keys())

export const isRefusedOffLoopback = (path: string): boolean => open.refuses(`/api/v0/${path}`)

const head = `# Every command of Kubo, and what becomes of it

<!-- Written by \`npm run docs\` from proxy/routes.ts, proxy/command-rules.ts and bin/kubo-api-rows.ts; \`npm run check\` and a test keep it up to date. -->

The proxy speaks Kubo's \`/api/v0\`. Each command of Kubo 0.44 is

* **passed**: the daemon's own answer, byte for byte;
* **intercepted**: answered by the peer in Kubo's words, because pins are the cluster's;
* **aggregated**: answered likewise, from all daemons of the cluster;
* **refused** where others can reach the proxy, unless the configuration says otherwise; see below.

Commands of later releases pass.

## Refusing calls

\`api.ipfsproxy.allow\` and \`deny\` (\`CLUSTER_IPFSPROXY_ALLOW\`, \`CLUSTER_IPFSPROXY_DENY\`) are lists of command paths. \`*\` at the end of an entry stands for
anything: \`key/*\`, \`files/*\`, \`*\`. An entry with a slash in front is a path beside \`/api/v0\`: \`/debug/*\`, \`/webui*\`, \`/logs\`.

* \`deny\` is stronger. With \`allow\`, everything that is not in it is refused, but \`version\`, which every client asks first and which Kubo's own
  \`API.Authorizations\` lets through too.
* However a call is written it is the same call: other names of a command (\`stats/repo\` is \`repo/stat\`), arguments in the path, slashes at the end, upper case, percent-encoding,
  absolute targets. Paths that Go's server would redirect or refuse are refused while there are rules.
* The answer is what a Kubo says to a call that its \`API.Authorizations\` do not allow, byte for byte: \`403\`, before CORS, method and command. \`ipfs\` prints its text, and the peer's log names
  the path.
* \`config\` reads and writes by one path, so they can only be refused together; \`config/show\` is a command of its own.

**On loopback and unix sockets nothing is refused by default**: whoever is on this machine could ask the daemon itself. **On any other address**, while neither setting is written, the
calls marked *refused off loopback* are: what stops or reconfigures the daemon, uses its keys, opens its machine to others or tells of it, and the paths \`/debug/*\` and \`/logs\`. The peer says so when it starts.
A container listens on \`0.0.0.0\`, so there too; adding, pinning, reading, files, names, \`swarm/connect\`, the WebUI's pages and its view of the settings all work. Whoever
needs the rest, because the port is published on loopback alone or a proxy with passwords stands before it, says so: \`CLUSTER_IPFSPROXY_ALLOW='*'\` lets everything through.

This is no password: whoever can reach the port can pin, unpin and collect. For who may call at all, see [who may call](kubo-proxy.md#who-may-call).

The default list off loopback: ${deniedOffLoopback.map(entry => `\`${entry}\``).join(', ')}.

## Commands

What shows it: numbers are of the tests below; *recordings* are answers of a real Kubo, replayed through the proxy (\`ipfs-compat-tests/recordings-proxy.test.ts\`).

| Command | What becomes of it | Why | Shown by |
|---|---|---|---|
`

/** The whole page. @throws Error when nothing is said of a command */
export function kuboApiDoc (): string {
  const tests = [...new Set([...knownCommands.keys()].flatMap(path => rowOf(path).tests))].filter(test => !test.startsWith('recordings: '))
  const numbers = new Map(tests.map((test, i) => [test, i + 1]))
  const rows = [...knownCommands.values()].map(command => rowText(command, numbers))
  return `${head}${rows.join('')}\n## Tests\n\n${tests.map((test, i) => `${i + 1}. ${testText(test)}\n`).join('')}`
}

function rowText ({ path, marks }: KnownCommand, numbers: ReadonlyMap<string, number>): string {
  const { why, tests } = rowOf(path)
  const status = [...marks].filter(mark => mark !== 'group' && mark !== 'local').map(mark => ` (${mark})`).join('')
  return `| \`${path}\`${status} | ${outcomeOf(path, marks)} | ${why} | ${evidence(tests, numbers)} |\n`
}

function outcomeOf (path: string, marks: KnownCommand['marks']): string {
  const outcome = rowOf(path).isAggregated === true ? '**aggregated**' : interceptedPaths.has(path) ? '**intercepted**' : 'passed'
  if (marks.has('group')) return 'passed; a group of commands'
  return isRefusedOffLoopback(path) ? `${outcome}; **refused off loopback**` : outcome
}

function evidence (tests: readonly string[], numbers: ReadonlyMap<string, number>): string {
  const recordings = tests.filter(test => !numbers.has(test)).map(test => `\`${splitTest(test)[1]}\``)
  return [...tests.filter(test => numbers.has(test)).map(test => numbers.get(test)), ...recordings.length > 0 ? [`recordings ${recordings.join(', ')}`] : []].join(', ')
}

function testText (test: string): string {
  const [file, title] = splitTest(test)
  return `\`${file}\`: ${title.replaceAll('\\', '')}`
}

/** Of `file: title`. */
export function splitTest (test: string): readonly [file: string, title: string] {
  const at = test.indexOf(': ')
  return [test.slice(0, at), test.slice(at + 2)]
}
