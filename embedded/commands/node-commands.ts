import { arch, platform } from 'node:os'
import type { GoValue } from '../../cluster/api/kubo/go-json.ts'
import type { EmbeddedNode } from '../node.ts'
import { command } from '../rpc/command.ts'
import type { Command } from '../rpc/command.ts'

export const repoVersion = '18'
/** Go's names of what Node calls otherwise. */
const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export function nodeCommands (node: EmbeddedNode, all: () => readonly Command[]): readonly Command[] {
  return [version(node), commands(all)]
}

function version ({ version }: EmbeddedNode): Command {
  return command({
    path: 'version',
    args: [],
    options: { number: { type: 'bool', aliases: ['n'] }, commit: { type: 'bool' }, repo: { type: 'bool' }, all: { type: 'bool' } },
    run ({ options: { number, repo, all } }) {
      const system = `${goArchitectures[arch()] ?? arch()}/${platform()}`
      const json = { Version: version, Commit: '', Repo: repoVersion, System: system, Golang: `node ${process.version}` }
      const long = `Kubo version: ${version}\nRepo version: ${repoVersion}\nSystem version: ${system}\nGolang version: ${json.Golang}\n`
      const text = all === true ? long : repo === true ? `${repoVersion}\n` : number === true ? `${version}\n` : `ipfs version ${version}\n`
      return { kind: 'one', value: { json, text } }
    }
  })
}

/** The client is told before everything stops. */
export function shutdownCommand (shutdown: () => void): Command {
  return command({ path: 'shutdown', args: [], options: {}, run: () => ({ kind: 'nothing', afterwards: shutdown }) })
}

interface CommandTree { [name: string]: CommandTree }

function commands (all: () => readonly Command[]): Command {
  return command({
    path: 'commands',
    args: [],
    options: { flags: { type: 'bool', aliases: ['f'] } },
    run ({ options: { flags = false } }) {
      const tree: CommandTree = {}
      const optionsOf = new Map<string, readonly string[][]>()
      for (const { path, options } of all()) {
        path.split('/').reduce((below, name) => below[name] ??= {}, tree)
        optionsOf.set(path, Object.entries(options).map(([name, { aliases = [] }]) => [name, ...aliases]))
      }
      const describe = (name: string, path: string, below: CommandTree): GoValue => ({
        Name: name,
        Subcommands: Object.entries(below).map(([child, deeper]) => describe(child, path === '' ? child : `${path}/${child}`, deeper)),
        Options: flags ? (optionsOf.get(path) ?? []).map(names => ({ Names: names })) : []
      })
      const text = all().map(({ path }) => `ipfs ${path.replaceAll('/', ' ')}\n`).join('')
      return { kind: 'one', value: { json: describe('ipfs', '', tree), text } }
    }
  })
}
