import t from 'tap'
import { createGroup } from './group.ts'
import { Applier } from '../applier.ts'
import { encodeInstruction } from '../command.ts'
import { message } from '../core/message.ts'
import { createRegisterMachine, decodeAnswer, encodeWrite } from '../processes/register-machine.ts'
import { SessionTable, sessionsMax } from '../sessions.ts'
import { Group } from '../testing/group.ts'
import type { ApplierHooks } from '../applier.ts'
import type { Instruction, RequestId } from '../command.ts'
import type { Entry } from '../core/types.ts'

const conf = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const entry = (index: number, instruction: Instruction): Entry => ({ type: 'EntryNormal', term: 1, index, data: encodeInstruction(instruction) })
const request = (session: number, sequence: number, answeredBelow = 0): RequestId => ({ session, sequence, answeredBelow })
const put = (index: number, id: RequestId, value: number): Entry => entry(index, { kind: 'command', id, data: encodeWrite('k', { kind: 'put', value }) })

interface Applied {
  readonly applier: Applier
  readonly value: () => number
  /** Each request's answer, in order; undefined for one whose session has forgotten it. */
  readonly answers: Array<number | undefined>
}

function createApplied (): Applied {
  const answers: Array<number | undefined> = []
  const hooks: ApplierHooks = {
    applyConfChange: () => conf, sessionOpened () {}, entryApplied () {}, membershipApplied () {}, digestTaken () {},
    requestApplied: (_id, _index, outcome) => { answers.push(outcome.kind === 'answer' ? decodeAnswer(outcome.answer) : undefined) }
  }
  const machine = createRegisterMachine()
  return { applier: new Applier(machine, hooks), value: () => machine.get('k'), answers }
}

t.test('CL-01 a request that is tried again, at whatever peer, is applied once and has one answer', async t => {
  const { applier, value, answers } = createApplied()
  await applier.apply([entry(1, { kind: 'open-session', nonce: 5 }), put(2, request(1, 0), 3), put(3, request(1, 0), 3)])
  await applier.apply([put(4, request(1, 1), 9), put(5, request(1, 0), 3)])

  t.equal(value(), 9)
  t.strictSame(answers, [3, 3, 9, 3])
})

t.test('CL-01 a snapshot brings the sessions: what was applied before it is not applied again behind it', async t => {
  const before = createApplied()
  await before.applier.apply([entry(1, { kind: 'open-session', nonce: 5 }), put(2, request(1, 0), 3)])
  const { head, sessions } = before.applier.kept()
  t.strictSame([...sessions].map(([id]) => id), [1])

  const after = createApplied()
  after.applier.load({ head, sessions })
  await after.applier.apply([put(3, request(1, 0), 3)])
  t.strictSame([after.value(), after.answers], [0, [3]], 'answered from memory; the state itself was not given here')
})

t.test('IC-01 a late copy of a request does not bring back what was undone since', async t => {
  const { applier, value } = createApplied()
  await applier.apply([entry(1, { kind: 'open-session', nonce: 5 }), entry(2, { kind: 'open-session', nonce: 6 })])
  await applier.apply([put(3, request(1, 0), 1), put(4, request(2, 0), 0), put(5, request(1, 0), 1)])

  t.equal(value(), 0)
})

t.test('CL-02 who gives up, or whose peer stops, is told the request\'s number: it may happen yet', async t => {
  await using group = await Group.of(3)
  await group.add(1, 'sum', 1)
  const session = await group.node(1).openSession({ signal: group.signal })
  group.network.isolate(1)
  const id = request(session, 0)
  const giveUp = new AbortController()
  const asked = group.node(1).propose(encodeWrite('sum', { kind: 'add', value: 1 }), { signal: giveUp.signal, id })
  asked.catch(() => {})
  await group.until(() => group.node(1).status().lastIndex > group.node(2).status().lastIndex)
  giveUp.abort()
  await t.rejects(asked, { code: 'ERR_RAFT_UNKNOWN_OUTCOME', session, sequence: 0 })

  group.network.heal()
  await group.node(2).propose(encodeWrite('sum', { kind: 'add', value: 1 }), { signal: group.signal, id })
  t.equal(group.machine(2).get('sum'), 2, 'asked again elsewhere, it has happened once')
})

t.test('CL-03 a request is passed on once: two peers that take each other for the leader do not pass it round', async t => {
  const group = createGroup()
  for (const [id, lead] of [[2, 3], [3, 2]] as const) group.core(id).step(message('MsgHeartbeat', { from: lead, to: id, term: 1 }))
  t.match(group.propose(2), { kind: 'forwarded', to: 3 })
  const [passedOn] = group.take('MsgProp')
  t.equal(group.core(3).step(passedOn!), 'dropped')
  group.work()

  t.strictSame(group.take('MsgProp'), [])
})

t.test('CL-04 when sessions are too many, the one that was used longest ago in the log gives way, everywhere the same', async t => {
  const tables = [new SessionTable(), new SessionTable()] as const
  for (const table of tables) {
    for (let index = 1; index <= sessionsMax; index++) table.open(index)
    table.admit(request(1, 0), sessionsMax + 1)
    table.open(sessionsMax + 2)
  }

  t.strictSame(tables[0].rows(), tables[1].rows())
  t.equal(tables[0].admit(request(2, 0), sessionsMax + 3), 'expired', 'and what it asks is refused, not applied anew')
  t.equal(tables[0].admit(request(1, 0), sessionsMax + 4), 'answered')
})

t.test('CL-06 IC-07 what would part the peers stops the one that notices: another digest, an entry it does not know', async t => {
  for (const wrong of [entry(1, { kind: 'feature-level', level: 99 }), { ...entry(1, { kind: 'open-session', nonce: 1 }), data: Uint8Array.of(99) }]) {
    const { applier } = createApplied()

    await t.rejects(applier.apply([wrong]), { code: 'ERR_RAFT_FATAL' })
  }
})
