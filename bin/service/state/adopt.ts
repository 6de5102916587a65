import { adoptPins } from '../../../cluster/adopt.ts'
import { systemClock } from '../../../cluster/clock.ts'
import { defaultReplication } from '../../../cluster/config/cluster-section.ts'
import { removedText } from '../../../cluster/consensus/removed-text.ts'
import { startInOrder } from '../../../cluster/lifecycle.ts'
import type { Logger } from '../../../cluster/log.ts'
import { UsageError } from '../../args.ts'
import { compose } from '../../compose.ts'
import { chooseDaemon } from '../daemon-choice.ts'
import { assertEngine } from '../engine.ts'
import type { PeerFolder, Settings } from '../folder.ts'

/**
 * `state adopt`: the daemon's pins become the cluster's. The whole peer runs for it, but for its doors: who holds a pin is decided by what all
 * peers say of themselves, and agreed on with them.
 */
export async function adopt (folder: PeerFolder, settings: Settings, log: Logger, stopping: AbortController): Promise<void> {
  const { configs, identity, written } = settings
  const { signal } = stopping
  await assertEngine(folder, settings)
  const say = (line: string): void => { process.stderr.write(`${line}\n`) }
  await using daemon = await chooseDaemon({ folder, clock: systemClock, log, say }, configs, signal)
  const peer = compose({
    folder, daemon, bootstrap: [], leaves: false, clock: systemClock, log,
    settings: { ...settings, configs: { ...configs, stats: { ...configs.stats, enableStats: false } }, written: new Set([...written].filter(name => name !== 'rest' && name !== 'proxy')) },
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
