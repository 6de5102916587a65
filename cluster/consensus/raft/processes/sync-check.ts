/** Asks the kernel, not the program: with `strace` on a single voter, is there a finished sync between each question and its answer? */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { encodeWrite } from './register-machine.ts'
import { ProcessGroup } from './group.ts'

export type SyncReport =
  | { readonly kind: 'skipped', readonly reason: string }
  | { readonly kind: 'checked', readonly answers: number, readonly syncs: number, readonly answersBeforeSync: number }

const questions = 50

export async function checkSyncBeforeAnswer ({ folder }: { readonly folder: string }): Promise<SyncReport> {
  if (spawnSync('strace', ['-V']).status !== 0) return { kind: 'skipped', reason: 'strace is not installed' }
  await using group = await ProcessGroup.of(folder, 1)
  const peer = group.peer(1)
  await peer.control.ask({ kind: 'write', id: undefined, data: encodeWrite('warm', { kind: 'put', value: 1 }) })

  const trace = `${folder}/trace`
  const tracer = spawn('strace', ['-f', '-ttt', '-e', 'trace=fdatasync,fsync,write,writev', '-s', '8', '-o', trace, '-p', String(peer.process!.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [said] = await once(tracer.stderr, 'data') as [Buffer]
  if (!/attached/.test(said.toString())) return { kind: 'skipped', reason: said.toString().trim() }
  for (let i = 0; i < questions; i++) {
    await peer.control.ask({ kind: 'write', id: undefined, data: encodeWrite(`k${i}`, { kind: 'put', value: 1 }) })
  }
  tracer.kill('SIGINT')
  await once(tracer, 'exit')
  return judge(await readFile(trace, 'utf8'))
}

/**
 * The log is written with `pwrite64`, which is not traced; what is left are syncs, answers, and the wake-ups of the thread
 * pool (eight bytes, the number 1). One question at a time, so a sync must have returned since the answer before.
 */
function judge (trace: string): SyncReport {
  let syncs = 0
  let syncsSinceAnswer = 0
  let answers = 0
  let answersBeforeSync = 0
  for (const line of trace.split('\n')) {
    if (/ (<\.\.\. )?f(data)?sync.*= 0$/.test(line)) {
      syncs++
      syncsSinceAnswer++
    } else if (/ writev?\(\d+, .*= \d+$/.test(line) && !line.includes(String.raw`"\1\0\0\0`)) {
      answers++
      if (syncsSinceAnswer === 0) answersBeforeSync++
      syncsSinceAnswer = 0
    }
  }
  return { kind: 'checked', answers, syncs, answersBeforeSync }
}
