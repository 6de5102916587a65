/** A disk so small that a test can fill it. */
import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface SmallDisk extends Disposable {
  /** Until nothing more goes onto it. */
  fill (): Promise<void>
  free (): Promise<void>
}

/** Mounts one at that folder. Who may not, see `whyNoMount`. */
export async function mountSmallDisk (folder: string, mebibytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder])
  const filler = join(folder, 'filler')
  return {
    fill: async () => { await writeFile(filler, Buffer.alloc((mebibytes + 16) << 20)).catch(() => {}) },
    free: async () => { await rm(filler) },
    [Symbol.dispose]: () => { execFileSync('umount', ['-l', folder]) }
  }
}

/** A small disk of its own takes the right to mount one. */
export function whyNoMount (): string | false {
  if (process.platform !== 'linux') return 'needs tmpfs'
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
    return false
  } catch {
    return 'needs the right to mount a file system'
  }
}
