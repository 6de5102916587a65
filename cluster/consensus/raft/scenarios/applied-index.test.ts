import t from 'tap'
import { Applier, decodeBookkeeping } from '../applier.ts'
import type { ApplierHooks } from '../applier.ts'
import type { Entry } from '../core/types.ts'
import type { StateMachine } from '../state-machine.ts'

const conf = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const hooks: ApplierHooks = {
  applyConfChange: () => conf, requestApplied () {}, sessionOpened () {}, entryApplied () {}, membershipApplied () {}, digestTaken () {}
}

t.test('LR-16 the applied index that is kept in the state\'s own transaction is that of the last entry in it', async t => {
  const kept: number[] = []
  const machine: Pick<StateMachine, 'apply'> = {
    apply: async (commands, keep) => {
      kept.push(decodeBookkeeping(keep(commands.map(() => new Uint8Array(0))).head()).index)
      return commands.map(() => new Uint8Array(0))
    }
  }
  const applier = new Applier(machine as StateMachine, hooks)
  const entries = Array.from({ length: 7 }, (_, at): Entry => ({ type: 'EntryNormal', term: 1, index: at + 1, data: new Uint8Array(0) }))

  await applier.apply(entries.slice(0, 1))
  await applier.apply(entries.slice(1, 5))
  await applier.apply(entries.slice(5))

  t.strictSame(kept, [1, 5, 7])
  t.strictSame(decodeBookkeeping(applier.kept().head).index, 7)
})
