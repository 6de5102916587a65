import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runChaos } from '../../cluster/consensus/raft/processes/chaos.ts'

t.setTimeout(1_800_000)

t.test('three processes that talk over libp2p, stopped, cut off and killed while clients work, answer as one copy would', async t => {
  const program = fileURLToPath(new URL('libp2p-peer.ts', import.meta.url))

  const report = await runChaos({ folder: t.testdir(), nodes: 3, seconds: 5, seed: 3, program })

  t.comment(JSON.stringify({ operations: report.operations, unanswered: report.unanswered, faults: report.faults }))
  t.ok(report.operations > 50, 'the clients got something done')
  t.strictSame(report.violations, [])
  t.strictSame(report.undecided, [])
  t.strictSame(report.unexpectedEnds, [])
})
