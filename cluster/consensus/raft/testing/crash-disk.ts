/**
 * A disk in memory that can lose everything a real one may lose when the power goes: writes that were not synced survive
 * whole, not at all, or sector by sector in any order; names survive only in the order they were given, up to some point.
 * Every call that could change the disk is one numbered step; `crashAtStep` ends the machine there, so that a test can try
 * each step in turn instead of hoping to hit the interesting one.
 */
import assert from 'node:assert/strict'
import type { Disk, DiskFile } from '../disk.ts'

const sectorBytes = 512

interface Write { readonly at: number, readonly bytes: Uint8Array, readonly truncateTo?: number }
class Inode {
  durable = new Uint8Array(0)
  current = new Uint8Array(0)
  unsynced: Write[] = []
}
type Names = Map<string, Inode>
type NameChange = (names: Names) => void

/** What of the unsynced survives: a number in [0, 1) per sector or name change decides. */
export type Fate = () => number
export const allLost: Fate = () => 0.999
export const allKept: Fate = () => 0

export class CrashedError extends Error {
  readonly code = 'CRASHED'
  constructor () { super('the machine lost power') }
}

export interface Faults {
  crashAtStep?: number
  /** Called before each step; may throw what a failing disk would (`EIO`, `ENOSPC`). */
  beforeStep?: (what: 'write' | 'sync' | 'truncate' | 'create' | 'rename' | 'remove' | 'syncFolder', path: string) => void
}

export class CrashDisk implements Disk {
  #durableNames: Names = new Map()
  #names: Names = new Map()
  #nameChanges: NameChange[] = []
  #locked = new Set<string>()
  #crashed = false
  steps = 0
  faults: Faults = {}

  async open (path: string, how: 'read' | 'read-write' | 'create'): Promise<DiskFile> {
    if (how === 'create') {
      this.#step('create', path)
      if (this.#names.has(path)) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' })
      const made = new Inode()
      this.#change(names => names.set(path, made))
    }
    const inode = this.#names.get(path)
    if (inode === undefined) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' })
    return this.#file(inode, path)
  }

  async readFile (path: string): Promise<Uint8Array | undefined> { return this.#names.get(path)?.current.slice() }

  async list (folder: string): Promise<readonly string[]> {
    return [...this.#names.keys()].filter(name => name.startsWith(`${folder}/`)).map(name => name.slice(folder.length + 1)).filter(name => !name.includes('/')).sort()
  }

  async makeFolder (): Promise<void> {}

  async rename (from: string, to: string): Promise<void> {
    this.#step('rename', from)
    const inode = this.#names.get(from)
    if (inode === undefined) throw Object.assign(new Error(`no file ${from}`), { code: 'ENOENT' })
    this.#change(names => { names.delete(from); names.set(to, inode) })
  }

  async remove (path: string): Promise<void> {
    this.#step('remove', path)
    this.#change(names => names.delete(path))
  }

  async syncFolder (folder: string): Promise<void> {
    this.#step('syncFolder', folder)
    this.#durableNames = new Map(this.#names)
    this.#nameChanges = []
  }

  async lock (folder: string): Promise<AsyncDisposable> {
    if (this.#locked.has(folder)) throw new Error(`${folder} is in use by another process`)
    this.#locked.add(folder)
    return { [Symbol.asyncDispose]: async () => { this.#locked.delete(folder) } }
  }

  /** The disk as the next boot finds it. */
  afterPowerLoss (fate: Fate): CrashDisk {
    const next = new CrashDisk()
    const survivingNames = new Map(this.#durableNames)
    for (const change of this.#nameChanges) {
      if (fate() >= 0.5) break
      change(survivingNames)
    }
    for (const [name, inode] of survivingNames) {
      const image = new Inode()
      image.current = survivingBytes(inode, fate)
      image.durable = image.current.slice()
      next.#names.set(name, image)
    }
    next.#durableNames = new Map(next.#names)
    return next
  }

  /** Flips one bit where it lies, as rot does. */
  rot (path: string, at: number): void {
    const inode = this.#names.get(path)
    assert(inode !== undefined && at < inode.current.length, `no byte ${at} in ${path}`)
    inode.current[at]! ^= 0x10
    inode.durable = inode.current.slice()
  }

  #file (inode: Inode, path: string): DiskFile {
    return {
      get size () { return inode.current.length },
      write: async (bytes, position) => {
        // Half of a write that is cut by the crash may have reached the cache, and from there the disk.
        this.#step('write', path, () => { put(inode, bytes.slice(0, bytes.length >> 1), position) })
        put(inode, bytes.slice(), position)
      },
      read: (position, length) => inode.current.slice(position, position + length),
      sync: async () => {
        this.#step('sync', path)
        inode.durable = inode.current.slice()
        inode.unsynced = []
      },
      truncate: async length => {
        this.#step('truncate', path)
        inode.current = resized(inode.current, length)
        inode.unsynced.push({ at: 0, bytes: new Uint8Array(0), truncateTo: length })
      },
      [Symbol.dispose] () {}
    }
  }

  #step (what: Parameters<NonNullable<Faults['beforeStep']>>[0], path: string, cutShort?: () => void): void {
    if (this.#crashed) throw new CrashedError()
    this.steps++
    if (this.steps === this.faults.crashAtStep) {
      this.#crashed = true
      cutShort?.()
      throw new CrashedError()
    }
    this.faults.beforeStep?.(what, path)
  }

  #change (change: NameChange): void {
    change(this.#names)
    this.#nameChanges.push(change)
  }
}

function put (inode: Inode, bytes: Uint8Array, at: number): void {
  if (inode.current.length < at + bytes.length) inode.current = resized(inode.current, at + bytes.length)
  inode.current.set(bytes, at)
  inode.unsynced.push({ at, bytes })
}

function survivingBytes (inode: Inode, fate: Fate): Uint8Array<ArrayBuffer> {
  let image = inode.durable.slice()
  for (const { at, bytes, truncateTo } of inode.unsynced) {
    if (truncateTo !== undefined) {
      if (fate() < 0.5) image = resized(image, truncateTo)
      continue
    }
    for (let from = at; from < at + bytes.length;) {
      const to = Math.min(at + bytes.length, (Math.floor(from / sectorBytes) + 1) * sectorBytes)
      if (fate() < 0.5) {
        if (image.length < to) image = resized(image, to)
        image.set(bytes.subarray(from - at, to - at), from)
      }
      from = to
    }
  }
  return image
}

function resized (bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(length)
  grown.set(bytes.subarray(0, length))
  return grown
}
