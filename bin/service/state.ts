import { createReadStream } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { adoptPins } from '../../cluster/adopt.ts'
import { pinFromJson, pinToJson, replicationOf } from '../../cluster/api/pin-json.ts'
import { parsePeerId } from '../../cluster/api/peer-id.ts'
import type { Pin } from '../../cluster/api/pin.ts'
import { systemClock } from '../../cluster/clock.ts'
import { defaultReplication } from '../../cluster/config/cluster-section.ts'
import { createRaftConsensus } from '../../cluster/consensus/raft-consensus.ts'
import { removedText } from '../../cluster/consensus/removed-text.ts'
import { startInOrder } from '../../cluster/lifecycle.ts'
import type { Logger } from '../../cluster/log.ts'
import type { AppliedOps, Consensus, PinsetOp, PinsetReader } from '../../cluster/ports.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { lockFolder } from '../../cluster/store/folder-lock.ts'
import { chooseDaemon } from './daemon-choice.ts'
import { readFolder } from './folder.ts'
import type { PeerFolder, Settings } from './folder.ts'

const opsPerEntry = 500
/** Nobody tracks while the peer is stopped; it compares with its daemon when it starts. */
const nobody: AppliedOps = { pinned () {}, unpinned () {}, replaced () {} }

export interface StateCall { readonly args: readonly string[], readonly flags: Values, readonly log: Logger, readonly env: NodeJS.ProcessEnv }

/** `state …`: work on the pinset of a peer that is stopped. */
export async function runState (command: string, folder: PeerFolder, call: StateCall): Promise<void> {
  const settings = await readFolder(folder, call.env)
  await using _lock = await lockFolder(folder.path, systemClock)
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(new UsageError(`stopped by ${name}`)))

  if (command === 'state cleanup') return await cleanUp(folder, call)
  if (command === 'state import') return await importState(folder, settings, call, stopping.signal)
  if (command === 'state export') return await exportState(folder, call, stopping.signal)
  await adopt(folder, settings, call, stopping)
}

async function openPinset (folder: PeerFolder, { configs, identity }: Settings, { log }: StateCall, signal: AbortSignal): Promise<AsyncDisposable & { readonly consensus: Consensus }> {
  const store = createStore({ folder: folder.state })
  const failed = (reason: unknown): void => { log.error('the log has failed', { reason: (reason as Error).message }) } // whoever waits for it is told as well
  const components = { store, state: createPinset({ store }), applied: nobody, self: identity.id, log: log.for('raft'), failed }
  const consensus = createRaftConsensus(components, { ...configs.raft, folder: folder.raft, found: () => true })
  const running = await startInOrder([store, consensus], signal)
  return { consensus, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

/** The whole peer runs for it, but for its doors: who holds a pin is decided by what all peers say of themselves, and agreed on with them. */
async function adopt (folder: PeerFolder, settings: Settings, { log }: StateCall, stopping: AbortController): Promise<void> {
  const { configs, identity, written } = settings
  const { signal } = stopping
  const say = (line: string): void => { process.stderr.write(`${line}\n`) }
  const { compose } = await import('../compose.ts')
  await using daemon = await chooseDaemon({ folder, clock: systemClock, log, say }, configs, signal)
  const peer = compose({
    folder, daemon, bootstrap: [], leaves: false, clock: systemClock, log,
    settings: { ...settings, written: new Set([...written].filter(name => name !== 'rest' && name !== 'proxy')) },
    failed: reason => { stopping.abort(reason) },
    removed: () => { stopping.abort(new UsageError(removedText)) }
  })
  await using _running = await startInOrder(peer.components, signal)
  say(`Reading the pins of the daemon: ${daemon.description}`)
  const { seen, adopted } = await adoptPins({ self: identity.id, ipfs: peer.ipfs, consensus: peer.consensus, placer: peer.placer, clock: systemClock }, {
    signal,
    replication: defaultReplication(configs.cluster),
    onProgress: progress => say(`  ${progress.seen} pins looked at, ${progress.adopted} adopted`)
  })
  process.stdout.write(`${adopted} of the daemon's ${seen} pins are cluster pins now; the others were already.\n`)
}

/** Of the pinset alone: pins can be saved from a folder whose log is damaged. */
async function exportState (folder: PeerFolder, { flags }: StateCall, signal: AbortSignal): Promise<void> {
  const store = createStore({ folder: folder.state })
  const pinset: PinsetReader = createPinset({ store })
  await using _running = await startInOrder([store], signal)
  const path = flags.text('file')
  await using file = path === undefined ? undefined : await open(path, 'w', 0o600)
  let count = 0
  for await (const pin of pinset.list({ signal })) {
    const line = `${JSON.stringify(pinToJson(pin))}\n`
    if (file !== undefined) await file.writeFile(line)
    else if (!process.stdout.write(line)) await new Promise<void>(resolve => process.stdout.once('drain', resolve))
    count++
  }
  if (file !== undefined) await file.sync()
  process.stderr.write(`${count} pins exported\n`)
}

/** The pinset becomes what is read, as in the Go program. All is read and understood before anything changes. */
async function importState (folder: PeerFolder, settings: Settings, call: StateCall, signal: AbortSignal): Promise<void> {
  const { args, flags } = call
  const pins = await Array.fromAsync(readPins(args[0], flags))
  if (!flags.is('force') && await isThere(folder.state)) {
    throw new UsageError(`the pinset would be replaced by the ${pins.length} pins that were read; say so with --force: ipfs-cluster-service --force state import`)
  }
  await rotate(folder.state)
  await using pinset = await openPinset(folder, settings, call, signal)
  for (let at = 0; at < pins.length; at += opsPerEntry) {
    const ops: PinsetOp[] = pins.slice(at, at + opsPerEntry).map(pin => ({ kind: 'pin', pin }))
    await pinset.consensus.log(ops, { signal })
  }
  process.stdout.write(`${pins.length} pins imported\n`)
}

async function * readPins (path: string | undefined, flags: Values): AsyncGenerator<Pin> {
  const given = givenOptions(flags)
  let line = 0
  for await (const text of createInterface({ input: path === undefined ? process.stdin : createReadStream(path), crlfDelay: Infinity })) {
    line++
    if (text.trim() === '') continue
    try {
      yield { ...pinFromJson(JSON.parse(text)), ...given }
    } catch (err) {
      throw new UsageError(`${path ?? 'input'}, line ${line}: ${(err as Error).message}`)
    }
  }
}

function givenOptions (flags: Values): Partial<Pin> {
  const [min, max] = [flags.text('replication-min'), flags.text('replication-max')]
  if ((min === undefined) !== (max === undefined)) throw new UsageError('state import: expected --replication-min and --replication-max together')
  const allocations = flags.text('allocations')?.split(',').map(parsePeerId)
  return { ...min !== undefined && { replication: replicationOf(Number(min), Number(max)) }, ...allocations && { allocations } }
}

async function cleanUp (folder: PeerFolder, { flags }: StateCall): Promise<void> {
  if (!await isThere(folder.state)) {
    process.stdout.write('There is no pinset.\n')
    return
  }
  if (!flags.is('force')) throw new UsageError('the pinset would be put aside; say so with --force: ipfs-cluster-service --force state cleanup')
  process.stdout.write(`The pinset is in ${await rotate(folder.state)} now.\n`)
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

async function isThere (path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false)
}
