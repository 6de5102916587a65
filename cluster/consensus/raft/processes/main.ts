/**
 * The process harness by hand:
 *
 *     node cluster/consensus/raft/processes/main.ts chaos [--nodes 5] [--seconds 60] [--seed 1] [--history FILE] [--program FILE]
 *     node cluster/consensus/raft/processes/main.ts burst [--nodes 3] [--times 50] [--seed 1] [--program FILE]
 *     node cluster/consensus/raft/processes/main.ts sync-check
 *
 * `--program bench/raft/libp2p-peer.ts` runs peers that talk over libp2p, as in production, instead of plain TCP.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runBurst, runChaos } from './chaos.ts'
import { checkSyncBeforeAnswer } from './sync-check.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    times: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    history: { type: 'string' },
    folder: { type: 'string' },
    program: { type: 'string' }
  }
})
const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'raft-harness-'))
const say = (line: string): void => { process.stderr.write(`${line}\n`) }
const seed = Number(values.seed)
const { program } = values

switch (positionals[0]) {
  case 'chaos': {
    const { violations, ...report } = await runChaos({ folder, nodes: Number(values.nodes ?? 5), seconds: Number(values.seconds), seed, program, say })
    if (values.history !== undefined) await writeFile(values.history, JSON.stringify(violations, undefined, 1))
    console.log(JSON.stringify({ seed, ...report, violations: violations.map(({ key }) => key) }, undefined, 2))
    if (!report.linearizable || report.unexpectedEnds.length > 0) process.exitCode = 1
    break
  }
  case 'burst': {
    const report = await runBurst({ folder, nodes: Number(values.nodes ?? 3), times: Number(values.times), seed, program, say })
    console.log(JSON.stringify(report, undefined, 2))
    if (report.lost.length > 0) process.exitCode = 1
    break
  }
  case 'sync-check': {
    const report = await checkSyncBeforeAnswer({ folder })
    console.log(JSON.stringify(report, undefined, 2))
    if (report.kind === 'checked' && report.answersBeforeSync > 0) process.exitCode = 1
    break
  }
  default:
    console.error('chaos, burst or sync-check? See the head of this file')
    process.exitCode = 2
}
if (process.exitCode === undefined) await rm(folder, { recursive: true })
else say(`the folders are kept: ${folder}`)
