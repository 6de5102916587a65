import t from 'tap'
import { Group } from '../replay/group.ts'
import { MemoryLog } from '../replay/memory-log.ts'
import { RaftInvariantError } from './assert.ts'
import { emptyData } from './entries.ts'
import { Inflights } from './inflights.ts'
import { RaftLog } from './log.ts'
import { message } from './message.ts'
import { Progress } from './progress.ts'
import { RaftCore } from './raft.ts'
import { ReadQueue } from './read-queue.ts'
import { Unstable } from './unstable.ts'
import type { Entry } from './types.ts'

const entryOf = (index: number, term = 1): Entry => ({ term, index, type: 'EntryNormal', data: emptyData })
const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }
const noSnapshot = (): never => { throw new Error('none') }

/** Three entries in storage, two of them committed, one applied. */
function logOf (reader = new MemoryLog(noSnapshot)): RaftLog {
  reader.append([entryOf(1), entryOf(2), entryOf(3)])
  const log = new RaftLog(reader, Infinity, undefined)
  log.commitTo(2)
  log.appliedTo(1, 0)
  return log
}

t.test('a bug stops the peer before it can do harm', async t => {
  const unstable = (): Unstable => {
    const made = new Unstable(5, undefined)
    made.truncateAndAppend([entryOf(5), entryOf(6)])
    return made
  }
  const progress = (): Progress => new Progress(2, 4, false, new Inflights(1, 1))
  const liar = new MemoryLog(noSnapshot)
  liar.entries = () => [entryOf(9)]
  const bugs: Readonly<Record<string, () => unknown>> = {
    'a committed entry is replaced': () => { logOf().append([entryOf(2, 2)]) },
    'the log gets a gap': () => { logOf().append([entryOf(5)]) },
    'what is not committed is handed out': () => { logOf().acceptApplying(3, 0, true) },
    'what was handed out is handed out again': () => { logOf().acceptApplying(0, 0, true) },
    'a range beyond the log is read': () => logOf().slice(2, 5, Infinity),
    'storage answers something else': () => logOf(liar).slice(1, 3, Infinity),
    'somebody without a term commits': () => logOf().tryCommit(3, 0),
    'the log starts before 1': () => new Unstable(0, undefined),
    'a range ends before it starts': () => unstable().slice(6, 5),
    'an entry that is stable is looked for': () => unstable().at(4),
    'an entry that is not there is looked for': () => unstable().at(7),
    'nothing is appended': () => { unstable().truncateAndAppend([]) },
    'a snapshot of nothing is installed': () => { unstable().restore({ meta: { index: 0, term: 0, confState }, data: emptyData }) },
    'a peer starts before the log': () => new Progress(2, 0, false, new Inflights(1, 1)),
    'a peer is sent what it holds': () => { progress().restart(4, 4) },
    'a peer is sent a snapshot of nothing': () => { progress().becomeSnapshot(0) },
    'a window has no room for a byte': () => new Inflights(1, 0),
    'more reads wait than may': () => {
      const queue = new ReadQueue(1)
      queue.park(message('MsgReadIndex', {}))
      queue.park(message('MsgReadIndex', {}))
    },
    'more reads are to be confirmed than may': () => {
      const queue = new ReadQueue(1)
      queue.add(message('MsgReadIndex', {}), 4)
      queue.add(message('MsgReadIndex', {}), 4)
    },
    'a later read sees less': () => {
      const queue = new ReadQueue(9)
      queue.add(message('MsgReadIndex', {}), 4)
      queue.add(message('MsgReadIndex', {}), 3)
    },
    'what was not handed out is done': () => { new Group({ voters: [1] }).core(1).advance() },
    'nothing is proposed': () => new Group({ voters: [1, 2] }).core(1).propose([]),
    'an election waits for nothing': () => { new Group({ voters: [1] }).core(1).setRandomizedElectionTicks(0) },
    'chance leaves its range': () => {
      const { log } = new Group({ voters: [1] }).node(1)
      return new RaftCore({ id: 1, log, random: { below: most => most }, electionTicks: 10, heartbeatTicks: 1 })
    }
  }

  for (const [what, run] of Object.entries(bugs)) t.throws(run, RaftInvariantError, what)
})
