/** Real processes on this machine, for about a minute in all. The long runs are done by hand: see main.ts. */
import t from 'tap'
import { runBurst, runChaos } from './chaos.ts'
import { checkSyncBeforeAnswer } from './sync-check.ts'

t.setTimeout(1_200_000)
const seed = Number(process.env['RAFT_SEED'] ?? 1)

for (const nodes of [3, 5]) {
  t.test(`${nodes} processes, killed, stopped, cut off and replaced while clients work, answer as one copy would`, async t => {
    const report = await runChaos({ folder: t.testdir(), nodes, seconds: 10, seed })

    t.comment(JSON.stringify({ operations: report.operations, unanswered: report.unanswered, faults: report.faults }))
    t.ok(report.operations > 100, 'the clients got something done')
    t.strictSame(report.violations, [])
    t.strictSame(report.undecided, [])
    t.strictSame(report.unexpectedEnds, [])
  })
}

t.test('all processes are killed in the middle of a burst, and each acknowledged write is there', async t => {
  const report = await runBurst({ folder: t.testdir(), nodes: 3, times: 3, seed })

  t.ok(report.acknowledged > 0)
  t.strictSame(report.lost, [])
})

t.test('the kernel has finished a sync before each answer', async t => {
  const report = await checkSyncBeforeAnswer({ folder: t.testdir() })

  if (report.kind === 'skipped') { t.pass(`skipped: ${report.reason}`); return }
  t.ok(report.answers >= 50)
  t.ok(report.syncs >= report.answers)
  t.equal(report.answersBeforeSync, 0)
})
