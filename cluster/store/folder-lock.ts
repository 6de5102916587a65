import { randomUUID } from 'node:crypto'
import { link, open, readFile, readlink, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterError } from '../api/errors.ts'
import type { Clock } from '../clock.ts'

const beatEveryMs = 1_000
/** A holder that cannot be asked (another machine, another container) is given up when its file has not been touched for so long. */
const silenceMs = 5_000

/** Who holds the folder. A process id alone says little: it is used again, and each container counts from 1. */
interface Holder {
  readonly pid: number
  /** When it was started, in ticks since boot; empty where the system does not say. */
  readonly started: string
  /** The boot and the process-id namespace in which `pid` means something. */
  readonly world: string
}

/** Whose folder it is, and what its owner is told when somebody else has it. */
export interface LockKind { readonly file: string, readonly advice: string }

const ofPeer: LockKind = { file: 'cluster.lock', advice: 'one peer per folder. Stop it, or name another folder with --config or IPFS_CLUSTER_PATH' }

/**
 * One process per folder, as the Go program has it, in `cluster.lock`. A file left by a process that is gone is taken over.
 *
 * @returns what gives the folder free when disposed
 * @throws ClusterError ERR_STORAGE naming the process that holds it
 */
export async function lockFolder (folder: string, clock: Clock, kind = ofPeer): Promise<AsyncDisposable> {
  const path = join(folder, kind.file)
  const self = JSON.stringify(await holder(process.pid))
  while (!await createFile(path, self)) {
    const found = await readFile(path, 'utf8').catch(() => '')
    if (await isAlive(found, path, clock)) throw inUse(folder, found, kind)
    if (found !== '') await clearAway(path, found, folder, kind)
  }
  return held(path, clock)
}

function held (path: string, clock: Clock): AsyncDisposable {
  let timer: Disposable | undefined
  let isHeld = true
  const beat = (): void => {
    const now = new Date(clock.now())
    utimes(path, now, now).catch(() => {}) // a disk that refuses this refuses more important things, which tell
    if (isHeld) timer = clock.after(beatEveryMs, beat)
  }
  beat()
  return {
    async [Symbol.asyncDispose] () {
      if (!isHeld) return
      isHeld = false
      timer?.[Symbol.dispose]()
      await rm(path, { force: true })
    }
  }
}

/** Whole or not at all: the text is written aside and then linked to its name. */
async function createFile (path: string, text: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`
  try {
    await using file = await open(aside, 'w', 0o600)
    await file.writeFile(text)
    await link(aside, path)
    return true
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new ClusterError('ERR_STORAGE', `cannot write ${path}: ${(err as Error).message}`, { cause: err })
  } finally {
    await rm(aside, { force: true })
  }
}

async function isAlive (text: string, path: string, clock: Clock): Promise<boolean> {
  const found = parse(text)
  const here = await holder(process.pid)
  if (found !== undefined && found.world === here.world) {
    if (!isRunning(found.pid)) return false
    return (await holder(found.pid)).started === found.started
  }
  return await isTouchedAgain(path, clock)
}

async function isTouchedAgain (path: string, clock: Clock): Promise<boolean> {
  const touched = async (): Promise<number> => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0
  const before = await touched()
  for (let waitedMs = 0; waitedMs < silenceMs; waitedMs += beatEveryMs) {
    await new Promise<void>(resolve => { clock.after(beatEveryMs, resolve) })
    if (await touched() !== before) return true
  }
  return false
}

/** Moves the dead holder's file away. If it turns out to be somebody's who came in between, it is put back. */
async function clearAway (path: string, seen: string, folder: string, kind: LockKind): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside).catch(() => {})
  const moved = await readFile(aside, 'utf8').catch(() => seen)
  if (moved !== seen) {
    await link(aside, path).catch(() => {})
    await rm(aside, { force: true })
    throw inUse(folder, moved, kind)
  }
  await rm(aside, { force: true })
}

async function holder (pid: number): Promise<Holder> {
  const text = async (read: Promise<string>): Promise<string> => await read.catch(() => '')
  const status = await text(readFile(`/proc/${pid}/stat`, 'utf8'))
  const boot = await text(readFile('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = await text(readlink('/proc/self/ns/pid'))
  const [state, ...numbers] = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return { pid, started: state === 'Z' ? 'gone' : numbers[18] ?? '', world: `${boot.trim()} ${namespace}`.trim() }
}

function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function parse (text: string): Holder | undefined {
  try {
    const { pid, started, world } = JSON.parse(text) as Partial<Holder>
    return typeof pid === 'number' && typeof started === 'string' && typeof world === 'string' ? { pid, started, world } : undefined
  } catch {
    return undefined
  }
}

function inUse (folder: string, text: string, { advice }: LockKind): ClusterError {
  const pid = parse(text)?.pid
  return new ClusterError('ERR_STORAGE', `${folder} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}: ${advice}`)
}
