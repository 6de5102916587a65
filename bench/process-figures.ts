/** What Linux says of a process. */
import { readFile } from 'node:fs/promises'

const ticksPerSecond = 100
const sampleMs = 500

/** What of a process is resident, in MiB: `files` is what it has mapped of its store, which the system takes back when it needs it. */
export interface Memory { readonly all: number, readonly files: number }

/** @throws Error ENOENT when it has ended */
export async function memoryOf (pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) / 1_024
  return { all: mib('VmRSS'), files: mib('RssFile') }
}

/** Processor time since it was started, in seconds, to ten milliseconds. @throws Error ENOENT when it has ended */
export async function cpuSecondsOf (pid: number): Promise<number> {
  const [user, system] = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ').slice(11, 13)
  return (Number(user) + Number(system)) / ticksPerSecond
}

export interface Sampled { memory (): Promise<Memory> }

/** Looks twice a second at what each peer has resident, until it is disposed. */
export function watchMemory (peers: readonly Sampled[]): Disposable & { most (): Memory } {
  let most: Memory = { all: 0, files: 0 }
  const look = async (peer: Sampled): Promise<void> => {
    const memory = await peer.memory()
    if (memory.all > most.all) most = memory
  }
  const sampler = setInterval(() => { for (const peer of peers) look(peer).catch(() => {}) }, sampleMs)
  return {
    most: () => most,
    [Symbol.dispose] () { clearInterval(sampler) }
  }
}
