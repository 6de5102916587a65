import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createRaftConsensus } from '../../../cluster/consensus/raft-consensus.ts'
import { startInOrder } from '../../../cluster/lifecycle.ts'
import type { Logger } from '../../../cluster/log.ts'
import type { MemberConsensus } from '../../../cluster/peer-ports.ts'
import type { AbortOptions, AppliedOps, PinsetReader } from '../../../cluster/ports.ts'
import { createPeerStore, stateFormat } from '../../../cluster/state/peer-store.ts'
import { createPinset } from '../../../cluster/state/pinset.ts'
import { storedFormat } from '../../../cluster/store/format.ts'
import { UsageError } from '../../args.ts'
import { engineOf } from '../engine.ts'
import { isThere } from '../files.ts'
import type { PeerFolder, Settings } from '../folder.ts'
import { printOutcome, printVersion, say, writeExport } from './output.ts'
import { openStaged, stage } from './staging.ts'
import { importedState } from './upgrade.ts'
import { exportPins, importPins } from './verbs.ts'
import type { StateWishes } from './wishes.ts'

/** An import is long, and a log that is not cut is held in memory; a peer that joins gets the pinset as a whole anyway. */
const shortLog = { snapshotThreshold: 64, trailingLogs: 64 }
/** Nobody tracks while the peer is stopped; it compares with its daemon when it starts. */
const nobody: AppliedOps = { pinned () {}, unpinned () {}, replaced () {} }

/** Upgrades nothing, so that it can be asked before that. */
export async function tellVersion (folder: PeerFolder, { signal }: AbortOptions): Promise<void> {
  const format = await storedFormat(folder.state)
  if (format !== stateFormat) return printVersion(format, undefined)
  await using pinset = await openPinset(folder, { signal })
  printVersion(format, await pinset.count())
}

/** Of the pinset alone: pins can be saved from a folder whose log is damaged. */
export async function exportState (folder: PeerFolder, { file }: StateWishes, { signal }: AbortOptions): Promise<void> {
  await using pinset = await openPinset(folder, { signal })
  await writeExport(exportPins(pinset, { signal }), file)
}

/**
 * The pinset becomes what is read, as in the Go program. All is read and understood, and the new pinset is whole, before it takes the place of the
 * one that was there, which is put aside.
 */
export async function importState (folder: PeerFolder, settings: Settings, { input, given, force }: StateWishes, { signal, log }: AbortOptions & { readonly log: Logger }): Promise<void> {
  if (engineOf(settings) === 'etcd') throw new UsageError('the pinset of this peer is in etcd: start the peer, and import through it')
  const [stagedAt, building] = [join(folder.path, 'import.offline'), `${folder.state}.importing`]
  const clear = async (): Promise<void> => { for (const path of [stagedAt, building]) await rm(path, { recursive: true, force: true }) }
  await clear()
  await using _ = { [Symbol.asyncDispose]: clear }
  await stage(stagedAt, { path: input, given, signal, say })
  {
    await using staged = await openStaged(stagedAt, { signal })
    const there = force ? 0 : await countPins(folder, { signal })
    if (there > 0) {
      throw new UsageError(`the pinset, ${there} pins, would be replaced by the ${staged.count()} pins that were read; say so with --force: ipfs-cluster-service --force state import`)
    }
    await using founded = await foundCluster({ ...folder, state: building, raft: join(building, 'raft') }, settings, { signal, log })
    await printOutcome(importPins(founded.consensus, staged, { signal }))
  }
  await rename(building, importedState(folder))
  await rotate(folder.state)
  await rename(importedState(folder), folder.state)
}

export async function cleanUp (folder: PeerFolder, { force }: StateWishes): Promise<void> {
  if (!await isThere(folder.state)) {
    process.stdout.write('There is no pinset.\n')
    return
  }
  if (!force) throw new UsageError('the pinset would be put aside; say so with --force: ipfs-cluster-service --force state cleanup')
  process.stdout.write(`The pinset is in ${await rotate(folder.state)} now.\n`)
}

async function countPins (folder: PeerFolder, { signal }: AbortOptions): Promise<number> {
  if (!await isThere(folder.state)) return 0
  await using pinset = await openPinset(folder, { signal })
  return await pinset.count()
}

async function openPinset (folder: PeerFolder, { signal }: AbortOptions): Promise<AsyncDisposable & PinsetReader> {
  const store = createPeerStore({ folder: folder.state })
  const pinset = createPinset({ store })
  const running = await startInOrder([store], signal)
  return { ...pinset, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

/** A cluster of this one peer, without a pin. */
async function foundCluster (folder: PeerFolder, { configs, identity }: Settings, { signal, log }: AbortOptions & { readonly log: Logger }): Promise<AsyncDisposable & { readonly consensus: MemberConsensus }> {
  const store = createPeerStore({ folder: folder.state })
  const failed = (reason: unknown): void => { log.error('the log has failed', { reason: (reason as Error).message }) } // whoever waits for it is told as well
  const components = { store, state: createPinset({ store }), applied: nobody, self: identity.id, log: log.for('raft'), failed }
  const consensus = createRaftConsensus(components, { ...configs.raft, ...shortLog, folder: folder.raft, found: () => true })
  const running = await startInOrder([store, consensus], signal)
  return { consensus, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

/** Puts the state folder aside under the first name that is free: nothing is deleted. */
async function rotate (path: string): Promise<string> {
  for (let number = 0; ; number++) {
    const aside = `${path}.old.${number}`
    if (await isThere(aside)) continue
    if (await isThere(path)) await rename(path, aside)
    return aside
  }
}
