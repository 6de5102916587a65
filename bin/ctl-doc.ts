import { fileURLToPath } from 'node:url'
import { program } from './ctl/program.ts'
import { meaning, spelled } from './help.ts'
import type { Command, Flags } from './args.ts'

export const ctlDocPath: string = fileURLToPath(new URL('../docs/ctl.md', import.meta.url))

const head = `# ipfs-cluster-ctl

<!-- Written by \`npm run docs\` from the table of commands in bin/ctl/program.ts; a test keeps it up to date. -->

Asks a peer over its [REST API](rest-api.md). Commands, flags and what they print are those of the Go program's \`ipfs-cluster-ctl\` 1.1.6, to the
byte: scripts made for it go on working, it can be used with a cluster of this program, and this one with a Go cluster. From a
checkout it is \`npm run -s ctl --\` or \`node bin/ipfs-cluster-ctl.js\`.

* **Where the peer is** says \`--host\`, a multiaddr: \`/ip4/127.0.0.1/tcp/9094\`, \`/dns4/name/tcp/9094\`, \`/dns4/name/tcp/443/https\`, \`/unix/path\`. Of several, with
  commas between, the next is asked when one does not answer. What ends in \`/p2p/<peer id>\`, or begins with \`/dnsaddr/\`, is asked over libp2p, which
  encrypts; a Go cluster wants its \`--secret\` for that.
* **Passwords** stand in \`--basic-auth\` or, which other users of the machine do not see, in the variable \`CLUSTER_CREDENTIALS\`. They are sent over TLS only, unless
  \`--force-http\` says otherwise. \`--no-check-certificate\` takes a certificate that nobody has signed.
* **\`--enc json\`** prints each object by itself, indented by four; \`jq\` reads that. \`add --no-stream\` prints one array.
* **On a terminal** words that matter have colours (not with \`NO_COLOR\` set), and \`add\` and \`--wait\` say how far they are on the error output. Into files and pipes go
  neither. Control characters in names are shown as \`\\u001b\`, wherever the output goes.
* **Flags** may be written \`--name value\`, \`--name=value\` and, as Go does, \`-name value\`; \`--yes=false\` turns a switch off. They may stand after arguments. What is not
  known is refused with what was probably meant. Those for all commands may stand before or after the command.
* **Completion** for bash, zsh and fish: see [completion](#completion).

| Exit code | Meaning |
|---|---|
| 0 | all went well |
| 1 | wrong use, a file that cannot be read, or no answer from a peer |
| 2 | the peer refused, or failed; what it said is on the output |
| 62 | \`--timeout\` or \`--wait-timeout\` is over |
| 125 | interrupted; an upload under way is given up, and nothing of it is pinned |

## Where it differs from the Go program

| What | Go's | Here |
|---|---|---|
| \`--wait-limit\`, \`--wait-timeout\` without \`--wait\` | say nothing | imply it |
| words of \`--filter\` and \`--mode\` that are not known | ignored, or taken for another | refused |
| \`--filter\` together with CIDs | ignored | refused |
| \`add --allocations\` that are no peer ids | left out | refused |
| \`status\` of very many CIDs | too long for the peer | asked in several requests |
| a wrong flag or command | the help, exit code 1 or 3 | what is wrong and what was meant, exit code 1 |
| \`--timeout\` is over | exit code 1 | exit code 62 |
| \`pin add\`, \`pin rm\` | wait a second, then show the status | show the status as soon as nothing moves, after a second at most |
| \`add --format car\` with several roots | refused | each root is a pin |
| control characters in names | reach the terminal | are shown as text |
`

/** The whole page. */
export function ctlDoc (): string {
  const rows = Object.entries(program.commands).map(([name, { help }]) => `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(help.split('\n')[0]!)} |\n`)
  return [
    head,
    `\n## Flags for all commands\n\n${flagTable(program.flags)}`,
    examplesDoc(program.examples),
    `\n## All commands\n\n| Command | What it does |\n|---|---|\n${rows.join('')}`,
    ...Object.entries(program.commands).map(([name, command]) => commandDoc(name, command))
  ].join('')
}

function commandDoc (name: string, { usage = '', help, flags = {}, examples }: Command): string {
  const [first, ...more] = help.split('\n')
  return [
    `\n## ${name}\n\n\`${`${program.name} ${name} ${usage}`.trimEnd()}\`: ${markup(first!)}.\n`,
    more.length === 0 ? '' : `\n${more.map(markup).join('\n')}\n`,
    Object.keys(flags).length === 0 ? '' : `\n${flagTable(flags)}`,
    examplesDoc(examples)
  ].join('')
}

function flagTable (flags: Flags): string {
  return `| Flag | What it says |\n|---|---|\n${Object.entries(flags).map(([name, flag]) => `| \`${spelled(name, flag)}\` | ${cell(meaning(flag))} |\n`).join('')}`
}

function examplesDoc (examples: readonly string[] = []): string {
  return examples.length === 0 ? '' : `\n\`\`\`sh\n${examples.map(example => `${program.name} ${example}\n`).join('')}\`\`\`\n`
}

const markup = (text: string): string => text.replaceAll('<', '&lt;')
const cell = (text: string): string => markup(text).replaceAll('|', '\\|')
