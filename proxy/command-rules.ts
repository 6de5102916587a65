import { unescapeGo, splitTarget } from '../cluster/api/kubo/query.ts'
import { isLoopback } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'
import { hasCommandsBelow, knownCommands, namesOf } from './kubo-commands.ts'
import { isClean } from './match-command.ts'

/** Which calls the proxy refuses, whoever asks. */
export interface CommandRules {
  /** Whether there are any: without, nothing need be asked. */
  readonly isNeeded: boolean
  /** @param target as it stands in the request line */
  refuses (target: string): boolean
  /** What an operator should know when the proxy opens. */
  readonly notes: readonly string[]
}

export interface CommandRulesConfig {
  readonly listenMultiaddress: readonly Endpoint[]
  readonly allow: readonly string[] | undefined
  readonly deny: readonly string[] | undefined
}

/**
 * What is refused on addresses that others can reach, unless the configuration says what is: calls that stop or reconfigure the
 * daemon, use its keys, open its machine to others or tell of it. What is done with content is not among them, nor `swarm/connect`,
 * which applications use so that a daemon finds theirs.
 */
export const deniedOffLoopback: readonly string[] = [
  'shutdown', 'config', 'config/replace', 'config/edit', 'config/profile/*', 'bootstrap/add', 'bootstrap/rm',
  'key/gen', 'key/import', 'key/export', 'key/rename', 'key/rm', 'key/rotate', 'key/sign',
  'swarm/disconnect', 'swarm/filters/*', 'swarm/peering/add', 'swarm/peering/rm', 'p2p/*', 'mount', 'provide/clear', 'pin/remote/service/*',
  'diag/profile', 'diag/sys', 'diag/cmds', 'diag/cmds/*', 'diag/datastore/*', 'log/level', 'log/tail', 'update/*', '/debug/*', '/logs'
]

/**
 * An entry is the path of a command below `/api/v0/`, or with a slash in front a path of the daemon's HTTP server (`/debug/*`); `*` at its
 * end stands for anything. `deny` wins; with `allow`, everything else is refused, but `version`, without which no client works and which
 * Kubo's `API.Authorizations` lets through as well.
 */
export function commandRules ({ listenMultiaddress, allow, deny }: CommandRulesConfig): CommandRules {
  const isOpen = listenMultiaddress.some(endpoint => !isLoopback(endpoint))
  const isOurs = isOpen && allow === undefined && deny === undefined
  const denied = matcher(isOurs ? deniedOffLoopback : deny ?? [])
  const allowed = allow === undefined ? undefined : matcher([...allow, 'version'])
  const isNeeded = isOurs || (deny ?? []).length > 0 || allow !== undefined
  return {
    isNeeded,
    refuses (target) {
      if (!isNeeded) return false
      const readings = readingsOf(target)
      return readings === undefined || readings.any.some(denied) || (allowed !== undefined && !readings.sure.some(allowed))
    },
    notes: [
      ...isOurs ? ['other machines can reach the proxy, so calls that administer the daemon are refused; api.ipfsproxy.allow and deny say otherwise'] : [],
      ...isOpen && !isNeeded ? ['other machines can reach the proxy, and may call everything, also what administers the daemon'] : [],
      ...[...allow ?? [], ...deny ?? []].filter(isUnknown).map(entry => `api.ipfsproxy.allow, deny: ${entry} is no command that is known here`)
    ]
  }
}

/**
 * What a target may mean to a daemon: the last segment of a path can be an argument. `any` of them may be meant; `sure` are those that
 * cannot be a command that only a later Kubo has. `undefined` when it cannot be told: what Go's server redirects, refuses or may read otherwise.
 */
function readingsOf (target: string): { readonly any: readonly string[], readonly sure: readonly string[] } | undefined {
  const path = unescapeGo(splitTarget(target).path, 'path')?.toLowerCase()
  if (path === undefined || !path.startsWith('/') || !isClean(path.slice(1))) return undefined
  if (!path.startsWith(apiPrefix)) return { any: [path], sure: [path] }
  const command = path.slice(apiPrefix.length)
  if (knownCommands.has(command)) return { any: namesOf(command), sure: namesOf(command) }

  const parent = command.slice(0, Math.max(0, command.lastIndexOf('/')))
  const any = [...namesOf(parent), command]
  return { any, sure: hasCommandsBelow(parent) && !command.endsWith('/') ? [command] : any }
}

function matcher (entries: readonly string[]): (path: string) => boolean {
  const lower = entries.map(entry => entry.toLowerCase().replace(/^\/api\/v0\//, ''))
  const whole = new Set(lower.filter(entry => !entry.endsWith('*')))
  const starts = lower.filter(entry => entry.endsWith('*')).map(entry => entry.slice(0, -1))
  return path => whole.has(path) || starts.some(start => path.startsWith(start))
}

function isUnknown (entry: string): boolean {
  const matches = matcher([entry])
  return !entry.startsWith('/') && ![...knownCommands.keys()].some(matches)
}

const apiPrefix = '/api/v0/'
