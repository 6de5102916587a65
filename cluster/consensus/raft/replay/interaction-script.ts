import { describeEntry, describeMessage, describeProgress, describeRole } from '../core/describe.ts'
import { emptyData } from '../core/entries.ts'
import { message } from '../core/message.ts'
import type { ConfChange, MessageType, ProgressStatus, ProposeResult } from '../core/types.ts'
import { addNodes } from './add-nodes.ts'
import { parseChanges } from './conf-words.ts'
import { Environment, stepTexts } from './environment.ts'
import type { Recipient, ScriptNode } from './environment.ts'
import { StorageRefusal } from './memory-log.ts'
import { Output } from './output.ts'
import { ScriptError, truth, wholeNumber } from './script.ts'
import type { Argument, Directive } from './script.ts'
import { stabilize } from './stabilize.ts'

type Command = (env: Environment, directive: Directive) => void

/** Everything a script can say. Each command prints to the environment; one that prints nothing is answered `ok`. */
const commands: Readonly<Record<string, Command>> = {
  _breakpoint: () => {},
  '_breakpoint:': () => {},
  'add-nodes': addNodes,
  campaign: (env, directive) => { first(env, directive).core.campaign() },
  compact: (env, directive) => {
    const node = first(env, directive)
    node.log.compact(wholeNumber(directive.args[1]?.key))
    printLog(env, node)
  },
  'deliver-msgs': deliverMessages,
  'forget-leader': (env, directive) => { first(env, directive).core.forgetLeader() },
  'log-level': (env, { args }) => {
    if (!env.output.setLevel(args[0]?.key ?? '')) throw new ScriptError(`log levels must be either of ${Output.levelNames}`)
  },
  'process-append-thread': eachNode('processing append thread', (env, node) => { env.processAppendWork(node) }),
  'process-apply-thread': eachNode('processing apply thread', (env, node) => { env.processApplyWork(node) }),
  'process-ready': eachNode('handling Ready', (env, node) => { env.processReady(node) }),
  propose: (env, directive) => {
    const { args } = directive
    if (args.length !== 2 || args[1]!.values.length > 0) throw new ScriptError('expected exactly one key with no values')
    const data = new TextEncoder().encode(args[1]!.key)
    report(first(env, directive).core.propose([{ type: 'EntryNormal', data }]))
  },
  'propose-conf-change': proposeConfChange,
  'raft-log': (env, directive) => { printLog(env, first(env, directive)) },
  'raft-state': printStates,
  'report-unreachable': (env, { args }) => {
    const [reporter, reported] = nodesIn(env, args)
    if (reported === undefined || nodesIn(env, args).length !== 2) {
      throw new ScriptError('must specify exactly two node indexes: node on which to report, and reported node')
    }
    reporter!.core.reportUnreachable(reported.id)
  },
  'send-snapshot': sendSnapshot,
  'set-randomized-election-timeout': (env, directive) => {
    first(env, directive).core.setRandomizedElectionTicks(wholeNumber(valueOf(directive, 'timeout')))
  },
  stabilize,
  status: (env, directive) => {
    for (const peer of first(env, directive).core.status().progress) env.output.write(`${peer.id}: ${progressText(peer)}\n`)
  },
  'tick-election': (env, directive) => { tick(first(env, directive), 'electionTicks') },
  'tick-heartbeat': (env, directive) => { tick(first(env, directive), 'heartbeatTicks') },
  'transfer-leadership': (env, directive) => {
    const to = wholeNumber(valueOf(directive, 'to'))
    env.node(to)
    env.node(wholeNumber(valueOf(directive, 'from'))).core.transferLeader(to)
  }
}

export const interactionCommands: ReadonlySet<string> = new Set(Object.keys(commands))

/** Runs scripts that drive a group of peers; answers each directive with what it printed. */
export function createInteractionRunner (): (directive: Directive) => string {
  const env = new Environment()
  return directive => {
    env.output.reset()
    try {
      const run = commands[directive.command]
      if (run === undefined) throw new ScriptError('unknown command')
      run(env, directive)
    } catch (error) {
      if (!(error instanceof ScriptError) && !(error instanceof StorageRefusal)) throw error
      // Errors are shown at every level.
      if (env.output.isQuiet) return error.message
      env.output.write(error.message)
    }
    return env.output.text === '' ? 'ok' : env.output.text
  }
}

function first (env: Environment, { args }: Directive): ScriptNode {
  return env.node(wholeNumber(args[0]?.key))
}

export function nodesIn (env: Environment, args: readonly Argument[]): readonly ScriptNode[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => env.node(wholeNumber(key)))
}

function valueOf ({ args }: Directive, key: string): string | undefined {
  return args.find(arg => arg.key === key)?.values[0]
}

function tick ({ core, options }: ScriptNode, times: 'electionTicks' | 'heartbeatTicks'): void {
  for (let i = 0; i < options[times]; i++) core.tick()
}

/** One node prints plainly; several under a line each that says which. */
function eachNode (title: string, work: (env: Environment, node: ScriptNode) => void): Command {
  return (env, { args }) => {
    const nodes = nodesIn(env, args)
    for (const node of nodes) {
      if (nodes.length === 1) return work(env, node)
      env.output.write(`> ${node.id} ${title}\n`)
      env.output.indented(() => { work(env, node) })
    }
  }
}

function deliverMessages (env: Environment, { args }: Directive): void {
  const recipients: Recipient[] = []
  let type: MessageType | undefined
  for (const { key, values } of args) {
    if (values.length === 0 && /^\d+$/.test(key)) recipients.push({ id: wholeNumber(key), drop: false })
    if (key === 'type') type = values[0] as MessageType
    if (key !== 'drop') continue
    for (const value of values) {
      const id = wholeNumber(value)
      if (recipients.some(recipient => recipient.id === id)) throw new ScriptError(`can't both deliver and drop msgs to ${id}`)
      recipients.push({ id, drop: true })
    }
  }
  if (env.deliver(recipients, type) === 0) env.output.write('no messages\n')
}

function proposeConfChange (env: Environment, directive: Directive): void {
  let version: 1 | 2 = 2
  let transition: ConfChange['transition'] = 'auto'
  for (const { key, values } of directive.args.slice(1)) {
    for (const value of values) {
      if (key === 'v1') version = truth(value) ? 1 : 2
      else if (key !== 'transition') throw new ScriptError(`unknown command ${key}`)
      else if (value === 'auto' || value === 'implicit' || value === 'explicit') transition = value
      else throw new ScriptError(`unknown transition ${value}`)
    }
  }
  const changes = parseChanges(directive.input)
  if (version === 1 && (changes.length !== 1 || transition !== 'auto')) {
    throw new ScriptError('v1 conf change can only have one operation and no transition')
  }
  report(first(env, directive).core.proposeConfChange({ transition, changes, context: emptyData }, version))
}

function report (result: ProposeResult): void {
  if (result.kind === 'dropped') throw new ScriptError(stepTexts.dropped!)
}

function sendSnapshot (env: Environment, { args }: Directive): void {
  const [from, to, ...more] = nodesIn(env, args)
  if (from === undefined || to === undefined || more.length > 0) throw new ScriptError('expected a sender and a receiver')
  const { term } = from.core.status()
  const m = message('MsgSnap', { from: from.id, to: to.id, term, snapshot: from.history.at(-1) })
  env.queue([m])
  env.output.write(describeMessage(m))
}

function printLog (env: Environment, { log }: ScriptNode): void {
  const firstIndex = log.firstIndex()
  const lastIndex = log.lastIndex()
  if (lastIndex < firstIndex) return env.output.write(`log is empty: first index=${firstIndex}, last index=${lastIndex}`)
  const entries = log.entries(firstIndex, lastIndex + 1, Infinity)
  if (entries !== 'compacted') env.output.write(entries.map(entry => `${describeEntry(entry)}\n`).join(''))
}

function printStates (env: Environment): void {
  for (const { core } of env.nodes) {
    const { id, role, term, lead, conf } = core.status()
    const isVoter = conf.voters.includes(id) || conf.votersOutgoing.includes(id)
    env.output.write(`${id}: ${describeRole(role)} ${isVoter ? '(Voter)' : '(Non-Voter)'} Term:${term} Lead:${lead}\n`)
  }
}

function progressText (peer: ProgressStatus): string {
  return describeProgress({
    ...peer,
    isLearner: peer.learner,
    isPaused: () => peer.paused,
    inflights: { count: peer.inflightMessages, full: peer.inflightFull }
  })
}
