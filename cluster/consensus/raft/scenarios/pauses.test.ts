import t from 'tap'
import { createGroup } from './group.ts'
import { createLonePeer } from './lone-peer.ts'
import { FakeClock } from '../../../clock.ts'
import { message } from '../core/message.ts'
import { Driver } from '../driver.ts'
import type { Message, ReadState } from '../core/types.ts'

const tickMs = 100
const electionTicks = 10
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

interface Driven {
  readonly driver: Driver
  readonly clock: FakeClock
  readonly ticks: () => number
  readonly stalls: number[]
}

/** One of three peers, on a clock of its own. */
function driven (): Driven {
  const clock = new FakeClock()
  const stalls: number[] = []
  let ticks = 0
  const driver = new Driver({
    tickMs, clock, isEager: () => false,
    core: { id: 1, log: createLonePeer().log, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, asyncStorageWrites: true }
  }, {
    beforeReady () {}, ready () {}, ticked: () => { ticks++ }, leaderChanged () {}, append: () => [], apply () {}, send () {}, sendSnapshot () {},
    stalled: ms => { stalls.push(ms) }, failed: err => { throw err }
  })
  driver.start()
  return { driver, clock, stalls, ticks: () => ticks }
}

for (const [what, lateMs] of [['a loop blocked for 5 s', 5_000], ['a process stopped for 10 s', 10_000], ['a machine asleep for an hour', 3_600_000]] as const) {
  t.test(`EL-12 ${what} loses less than an election timeout, in one piece, and is noticed`, async t => {
    const { driver, clock, stalls, ticks } = driven()
    await turn()
    const term = driver.core.status().term
    const now = clock.now.bind(clock)
    clock.now = () => now() + lateMs // the timer fires when the process runs again
    clock.advance(tickMs)
    await turn()
    await turn()

    t.equal(ticks(), electionTicks / 2)
    t.equal(stalls.length, 1)
    t.match(driver.core.status(), { role: 'follower', term }, 'what the leader said meanwhile is heard first')
    driver.stop()
  })
}

t.test('EL-12 a tick that is a little late moves nothing; the next ones come when they are due', async t => {
  const { driver, clock, stalls, ticks } = driven()
  for (let passed = 0; passed < 4; passed++) {
    clock.advance(tickMs)
    await turn()
  }

  t.strictSame([ticks(), stalls], [4, []])
  driver.stop()
})

for (const readOnly of ['safe', 'lease'] as const) {
  t.test(`EL-12 a leader that was stopped answers no ${readOnly} read with what was, though it does not know that another leads`, async t => {
    const group = createGroup({ settings: { preVote: true, checkQuorum: true }, core: { readOnly } })
    group.campaign(1)
    group.pass(2)
    const answers: ReadState[] = []
    const core = group.core(1)
    const ready = core.ready.bind(core)
    core.ready = () => {
      const handedOut = ready()
      answers.push(...handedOut.readStates)
      return handedOut
    }
    group.peer(1).isPaused = true
    for (let passed = 0; passed < 40; passed++) {
      for (const id of [2, 3]) group.peer(id).tick()
      group.settle()
    }
    const leader = group.leader()
    t.ok(leader === 2 || leader === 3)
    group.propose(leader as number)
    group.settle()

    group.peer(1).isPaused = false
    core.voidLease()
    group.spec.readAsked(9)
    t.equal(core.status().role, 'leader', 'for all it knows')
    core.readIndex(9)
    group.work()
    t.strictSame(answers, [])
    group.settle()
    group.pass(3)

    t.strictSame(answers, [], 'nor later: who confirms it is of a later term')
    t.match(core.status(), { role: 'follower', commit: group.status(leader as number).commit })
  })
}

t.test('EL-12 a leader that was stopped and is still the leader answers again once a majority has', async t => {
  const group = createGroup({ settings: { checkQuorum: true }, core: { readOnly: 'lease' } })
  group.campaign(1)
  group.pass(2)
  const core = group.core(1)
  core.voidLease()
  core.readIndex(1)
  t.equal(core.status().pendingReads, 1)
  group.spec.readAsked(1)
  group.settle()

  t.equal(core.status().pendingReads, 0)
})

t.test('LR-17 a slow disk of the leader delays neither heartbeats nor what a majority of others has', async t => {
  const peer = createLonePeer({ core: { asyncStorageWrites: true } })
  peer.core.campaign()
  const first = peer.core.ready().messages.find(({ type }) => type === 'MsgStorageAppend') as Message
  peer.log.setHardState({ term: 1, vote: 1, commit: 0 })
  for (const m of first.responses) if (m.to === 1) peer.core.step(m)
  peer.core.step(message('MsgVoteResp', { from: 2, term: 1 }))
  // From here on its disk is never done.
  const sent: Message[] = []
  const work = (): void => { while (peer.core.hasReady()) sent.push(...peer.core.ready().messages) }
  work()
  peer.core.propose([{ type: 'EntryNormal', data: new Uint8Array(8) }])
  for (const from of [2, 3]) peer.core.step(message('MsgAppResp', { from, term: 1, index: 2 }))
  work()
  peer.core.tick()
  work()

  t.match(peer.core.status(), { commit: 2, unstableEntries: 2, applied: 0 })
  t.equal(sent.filter(({ type }) => type === 'MsgHeartbeat').length, 2)
})

t.test('LR-17 a slow disk of one follower holds nobody up, and costs no more than its window', async t => {
  const group = createGroup({ settings: { inflightMessagesMax: 4, checkQuorum: true } })
  group.campaign(1)
  group.drop = ({ from, type }) => from === 3 && type === 'MsgAppResp'
  for (let at = 0; at < 100; at++) {
    group.propose(1)
    group.settle()
  }
  group.pass(30)

  t.match(group.status(1), { role: 'leader', commit: 101 })
  t.equal(group.status(1).progress[2]?.inflightMessages, 4)
})
