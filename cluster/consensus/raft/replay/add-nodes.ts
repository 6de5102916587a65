import { emptyData } from '../core/entries.ts'
import type { RaftLimits } from '../core/limits.ts'
import type { ConfState, Snapshot } from '../core/types.ts'
import type { Environment, NodeOptions } from './environment.ts'
import { ScriptError, truth, wholeNumber } from './script.ts'
import type { Directive } from './script.ts'

/** What scripts assume of a peer about which they say nothing: no limits, and nothing switched on. */
const noLimits: Partial<RaftLimits> = {
  messageBytesMax: Infinity,
  applyingBytesMax: Infinity,
  uncommittedBytesMax: Infinity,
  inflightBytesMax: Infinity,
  inflightMessagesMax: 2 ** 31 - 1
}
const plain: NodeOptions = {
  electionTicks: 3, heartbeatTicks: 1, preVote: false, checkQuorum: false, stepDownOnRemoval: false, asEtcd: true, limits: noLimits
}

interface Draft {
  options: NodeOptions
  conf: ConfState
  index: number
  content: string
}

type Setting = (draft: Draft, value: string) => void

function option (change: (value: string) => Partial<NodeOptions>): Setting {
  return (draft, value) => { draft.options = { ...draft.options, ...change(value) } }
}

function limit (name: keyof RaftLimits): Setting {
  return (draft, value) => {
    draft.options = { ...draft.options, limits: { ...draft.options.limits, [name]: wholeNumber(value) } }
  }
}

const settings: Readonly<Record<string, Setting>> = {
  voters: (draft, value) => { draft.conf = { ...draft.conf, voters: [...draft.conf.voters, wholeNumber(value)] } },
  learners: (draft, value) => { draft.conf = { ...draft.conf, learners: [...draft.conf.learners, wholeNumber(value)] } },
  index: (draft, value) => {
    draft.index = wholeNumber(value)
    draft.options = { ...draft.options, applied: draft.index }
  },
  content: (draft, value) => { draft.content = value },
  inflight: limit('inflightMessagesMax'),
  'max-committed-size-per-ready': limit('applyingBytesMax'),
  'async-storage-writes': option(value => ({ asyncStorageWrites: truth(value) })),
  prevote: option(value => ({ preVote: truth(value) })),
  checkquorum: option(value => ({ checkQuorum: truth(value) })),
  'disable-conf-change-validation': option(value => ({ disableConfChangeValidation: truth(value) })),
  'step-down-on-removal': option(value => ({ stepDownOnRemoval: truth(value) })),
  'read-only': option(value => ({ readOnly: readOnly(value) }))
}

/** `add-nodes 3 voters=(1,2,3) index=10 …`: peers with the next free ids, which start from one snapshot. */
export function addNodes (env: Environment, { args }: Directive): void {
  const count = wholeNumber(args[0]?.key)
  const draft: Draft = {
    options: plain,
    conf: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    index: 0,
    content: ''
  }
  for (const { key, values } of args.slice(1)) {
    for (const value of values) settings[key]?.(draft, value)
  }

  const { conf, index, content, options } = draft
  const isBootstrapped = conf.voters.length > 0 || conf.learners.length > 0 || index > 0 || content !== ''
  if (isBootstrapped && index <= 1) throw new ScriptError('index must be specified as > 1 due to bootstrap')
  const snapshot: Snapshot = {
    meta: { index, term: isBootstrapped ? 1 : 0, confState: conf },
    data: content === '' ? emptyData : new TextEncoder().encode(content)
  }
  for (let i = 0; i < count; i++) env.addNode(options, snapshot, isBootstrapped)
}

function readOnly (value: string): 'safe' | 'lease' {
  if (value === 'safe') return 'safe'
  if (value === 'lease-based') return 'lease'
  throw new ScriptError(`invalid read-only option ${JSON.stringify(value)}`)
}
