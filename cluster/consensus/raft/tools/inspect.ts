/** What lies in a folder, without touching it. */
import { decodeInstruction } from '../command.ts'
import { decodeConfChange } from '../core/conf-codec.ts'
import type { Entry, Index } from '../core/types.ts'
import type { Disk } from '../disk.ts'
import { readIdentity } from '../identity-file.ts'
import { decodeAppend, replayLog, segmentName } from '../log-replay.ts'
import { readRecord } from '../log-record.ts'
import { checkSnapshot, listSnapshots } from '../snapshot-files.ts'
import { LogDamagedError, tornText } from '../storage.ts'

const heldBytesMax = 16 * 1_024 * 1_024

export interface Inspection {
  readonly identity: unknown
  readonly hardState: unknown
  readonly base: unknown
  readonly firstIndex: Index
  readonly lastIndex: Index
  readonly tail: string
  readonly segments: ReadonlyArray<{ readonly path: string, readonly bytes: number }>
  readonly snapshots: readonly unknown[]
  readonly entries: readonly unknown[]
}

/** @throws LogDamagedError when the log cannot be read to its end */
export async function inspect (disk: Disk, folder: string, { from, limit }: { readonly from?: Index, readonly limit: number }): Promise<Inspection> {
  const log = await open(disk, folder)
  const { tail, hard, base, segments, end } = log
  const first = Math.max(tail.firstIndex, from ?? tail.lastIndex - limit + 1)
  const found = first > tail.lastIndex ? [] : tail.entries(first, Math.min(tail.lastIndex, first + limit - 1) + 1, Infinity)
  return {
    identity: await readIdentity(disk, folder),
    hardState: hard,
    base,
    firstIndex: tail.firstIndex,
    lastIndex: tail.lastIndex,
    tail: end.tail === 'torn' ? 'the last group was cut off before it was synced: it is erased at the next start' : 'clean',
    segments: segments.map(({ path, bytes }) => ({ path, bytes })),
    snapshots: await listSnapshots(disk, `${folder}/snapshots`),
    entries: typeof found === 'string' ? [] : found.map(describe)
  }
}

export interface Verification {
  readonly sound: boolean
  readonly firstIndex?: Index
  readonly lastIndex?: Index
  readonly snapshots: number
  /** What the next start erases, which is no problem. */
  readonly torn?: string
  readonly problems: ReadonlyArray<{ readonly file: string, readonly byte?: number, readonly index?: Index, readonly problem: string }>
}

/** Reads everything and checks every sum; changes nothing. */
export async function verify (disk: Disk, folder: string): Promise<Verification> {
  const problems: Array<Verification['problems'][number]> = []
  let log: Awaited<ReturnType<typeof open>> | undefined
  try {
    log = await open(disk, folder)
    if (await readIdentity(disk, folder) === undefined) problems.push({ file: `${folder}/identity`, problem: 'it is missing' })
  } catch (err) {
    problems.push(err instanceof LogDamagedError
      ? { file: err.file, byte: err.position, index: err.index, problem: err.message }
      : { file: folder, problem: (err as Error).message })
  }
  const snapshots = await listSnapshots(disk, `${folder}/snapshots`)
  for (const manifest of snapshots) {
    try {
      await checkSnapshot(disk, `${folder}/snapshots`, manifest)
    } catch (err) {
      problems.push({ file: `${folder}/snapshots`, index: manifest.meta.index, problem: (err as Error).message })
    }
  }
  return {
    sound: problems.length === 0, ...log !== undefined && { firstIndex: log.tail.firstIndex, lastIndex: log.tail.lastIndex },
    snapshots: snapshots.length, ...log?.torn !== undefined && { torn: tornText(log.torn) }, problems
  }
}

async function open (disk: Disk, folder: string): Promise<NonNullable<Awaited<ReturnType<typeof replayLog>>>> {
  const read = new Map<number, Uint8Array>()
  for (const name of await disk.list(folder)) {
    if (/^[0-9a-f]{8}\.log$/.test(name)) read.set(Number.parseInt(name, 16), (await disk.readFile(`${folder}/${name}`))!)
  }
  const log = await replayLog(disk, folder, heldBytesMax, (index, { segment, at }) => {
    const record = readRecord(read.get(segment)!, segment, at)
    const entry = record === undefined ? undefined : decodeAppend(record.payload).entries.find(each => each.index === index)
    if (entry === undefined) throw new Error(`${segmentName(segment)} no longer has entry ${index}`)
    return entry
  })
  if (log === undefined) throw new Error(`there is no raft log in ${folder}`)
  return log
}

function describe (entry: Entry): unknown {
  const { index, term, type, data } = entry
  const change = decodeConfChange(entry)
  if (change !== undefined) return { index, term, type, transition: change.transition, changes: change.changes }
  if (data.length === 0) return { index, term, says: 'nothing (a new leader\'s first)' }
  const instruction = decodeInstruction(data)
  if (instruction === undefined) return { index, term, says: 'something this program does not know', bytes: data.length }
  if (instruction.kind === 'command') return { index, term, says: 'command', ...instruction.id, bytes: instruction.data.length }
  return { index, term, says: instruction.kind, ...'digest' in instruction ? { of: instruction.index, digest: instruction.digest.toString(16) } : instruction }
}
