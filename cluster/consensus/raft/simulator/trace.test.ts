import t from 'tap'
import { drawSettings } from './settings.ts'
import { run } from './run.ts'
import { traceLine } from './trace.ts'
import type { TraceEvent } from '../core/trace-event.ts'
import type { RunRequest } from './settings.ts'

const request = (seed: number): RunRequest => ({ seed, voters: 3, learners: 0, ticks: 150, profile: 'model' })
const names = [
  'InitState', 'BecomeFollower', 'BecomeCandidate', 'BecomeLeader', 'Commit', 'Replicate', 'ChangeConf', 'ApplyConfChange', 'Ready',
  'SendAppendEntriesRequest', 'ReceiveAppendEntriesRequest', 'SendAppendEntriesResponse', 'ReceiveAppendEntriesResponse',
  'SendRequestVoteRequest', 'ReceiveRequestVoteRequest', 'SendRequestVoteResponse', 'ReceiveRequestVoteResponse'
]

function traced (seed: number): { readonly events: readonly TraceEvent[], readonly hash: string } {
  const events: TraceEvent[] = []
  const { failure, hash } = run(request(seed), drawSettings(request(seed)), event => { events.push(event) })
  t.equal(failure?.message, undefined)
  return { events, hash }
}

t.test('a trace has the events of the TLA+ specification, each with its fields and no others', async t => {
  const seen = new Set<string>()
  for (const seed of [1, 2, 3, 4, 5]) {
    for (const event of traced(seed).events) {
      const isNew = !seen.has(event.name)
      seen.add(event.name)
      const { tag, event: { name, nid, state, role, log, conf, msg, prop, ...others } } = JSON.parse(traceLine(event))
      if (tag !== 'trace' || Object.keys(others).length > 0 || !/^State(Follower|Candidate|Leader)$/.test(role) || !Number.isSafeInteger(log)) t.fail(traceLine(event))
      if (!isNew) continue

      t.match({ nid, state, conf }, { nid: /^[1-6]$/, state: { term: Number, vote: /^\d+$/, commit: Number }, conf: [Array, Array] }, name)
      t.equal(msg !== undefined, /^(Send|Receive)/.test(name))
      if (msg !== undefined) t.strictSame(Object.keys(msg), ['type', 'term', 'from', 'to', 'entries', 'logTerm', 'index', 'commit', 'vote', 'reject', 'rejectHint'])
      if (name === 'ChangeConf') t.match(prop.cc.changes, [{ nid: /^\d$/, action: /^(AddNewServer|AddLearner|RemoveServer)$/ }])
      if (name === 'ApplyConfChange') t.match(prop.cc.newconf, [/^\d$/])
    }
  }

  t.strictSame([...seen].sort(), names.sort())
})

t.test('events stand in the order in which they happen: nothing is received before it is sent and its sender is ready', async t => {
  for (const seed of [1, 2]) {
    const pending = new Map<string, string[]>()
    const sent = new Map<string, number>()
    for (const { name, nid, msg } of traced(seed).events) {
      const key = JSON.stringify(msg)
      if (name.startsWith('Send')) pending.set(nid, [...pending.get(nid) ?? [], key])
      if (name === 'Ready') for (const message of pending.get(nid) ?? []) sent.set(message, (sent.get(message) ?? 0) + 1)
      if (name === 'Ready' || name === 'InitState') pending.delete(nid)
      if (!name.startsWith('Receive')) continue
      const left = sent.get(key) ?? 0
      if (left === 0) t.fail(`seed ${seed}: ${name} of ${key}, which was not sent`)
      sent.set(key, left - 1)
    }
    t.ok(sent.size > 100)
  }
})

t.test('a run that is written down takes the same steps', async t => {
  t.equal(traced(7).hash, run(request(7)).hash)
})
