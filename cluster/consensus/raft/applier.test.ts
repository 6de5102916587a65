import t from 'tap'
import { Applier, digestEvery } from './applier.ts'
import type { ApplierHooks } from './applier.ts'
import { encodeInstruction } from './command.ts'
import type { Instruction } from './command.ts'
import type { Entry } from './core/types.ts'
import { createRegisterMachine, encodeWrite } from './processes/register-machine.ts'

const conf = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const entry = (index: number, instruction?: Instruction): Entry => ({
  type: 'EntryNormal', term: 1, index, data: instruction === undefined ? new Uint8Array(0) : encodeInstruction(instruction)
})
const add = (index: number, sequence: number): Entry =>
  entry(index, { kind: 'command', id: { session: 1, sequence, answeredBelow: 0 }, data: encodeWrite('k', { kind: 'add', value: 1 }) })

function opened (): { applier: Applier, machine: ReturnType<typeof createRegisterMachine>, digests: Uint8Array[], outcomes: string[] } {
  const digests: Uint8Array[] = []
  const outcomes: string[] = []
  const hooks: ApplierHooks = {
    applyConfChange: () => conf,
    requestApplied: (id, index, { kind }) => { outcomes.push(`${id.sequence}@${index} ${kind}`) },
    sessionOpened () {},
    entryApplied () {},
    membershipApplied () {},
    digestTaken: digest => { digests.push(digest) }
  }
  const machine = createRegisterMachine()
  return { applier: new Applier(machine, hooks), machine, digests, outcomes }
}

t.test('a request that comes twice in one batch is applied once, and answered twice', async t => {
  const { applier, machine, outcomes } = opened()

  await applier.apply([entry(1, { kind: 'open-session', nonce: 5 }), add(2, 0), add(3, 0), add(4, 1)])

  t.equal(machine.get('k'), 2)
  t.strictSame(outcomes, ['0@2 answer', '0@3 answer', '1@4 answer'])
})

t.test('a request of a session that nobody knows is refused, not applied', async t => {
  const { applier, machine, outcomes } = opened()

  await applier.apply([entry(1), add(2, 0)])

  t.equal(machine.get('k'), 0)
  t.strictSame(outcomes, ['0@2 expired'])
})

t.test('digests are taken at the same entries however the batches were cut, and a different one stops the peer', async t => {
  const inOne = opened()
  const inTwo = opened()
  const life = [entry(1, { kind: 'open-session', nonce: 5 }), ...Array.from({ length: digestEvery + 10 }, (_, i) => add(i + 2, i))]
  await inOne.applier.apply(life)
  await inTwo.applier.apply(life.slice(0, 1_001))
  await inTwo.applier.apply(life.slice(1_001))

  t.equal(inOne.digests.length, 1)
  t.strictSame(inOne.digests, inTwo.digests)
  const next = life.length + 1
  await inOne.applier.apply([{ type: 'EntryNormal', term: 1, index: next, data: inTwo.digests[0]! }])
  const wrong = entry(next + 1, { kind: 'digest', index: digestEvery, digest: 1n })
  await t.rejects(inOne.applier.apply([wrong]), { code: 'ERR_RAFT_FATAL', message: /differs from the leader's/ })
})

t.test('an entry this program does not know stops the peer before it, and so does a feature level it does not have', async t => {
  const unknown = opened()
  await t.rejects(unknown.applier.apply([{ type: 'EntryNormal', term: 1, index: 1, data: Uint8Array.of(99) }]), { code: 'ERR_RAFT_FATAL', message: /does not know/ })

  const raised = opened()
  await raised.applier.apply([entry(1, { kind: 'feature-level', level: 1 })])
  await t.rejects(raised.applier.apply([entry(2, { kind: 'feature-level', level: 2 })]), { code: 'ERR_RAFT_FATAL', message: /Update this peer/ })
})
