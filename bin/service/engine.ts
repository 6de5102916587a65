import { join } from 'node:path'
import { ClusterError } from '../../cluster/api/errors.ts'
import type { Environment } from '../../cluster/config/section.ts'
import { markFileName } from '../../cluster/consensus/etcd/folder-mark.ts'
import { isThere } from './files.ts'
import type { PeerFolder, Settings } from './folder.ts'
import { sections } from './sections.ts'

/** By what the peers agree: Raft among themselves, or an etcd that is there already. */
export type Engine = 'raft' | 'etcd'

const whereEtcdIs = 'CLUSTER_ETCD_ENDPOINTS'

/** The engine of a peer that is told nothing else. */
export const usualEngine = (env: Environment): Engine => env[whereEtcdIs] ? 'etcd' : 'raft'

/** Which sections a new `service.json` gets: of the engines the one that is used. */
export function sectionsFor (engine: Engine): typeof sections {
  return Object.fromEntries(Object.entries(sections).filter(([name]) => name !== (engine === 'etcd' ? 'raft' : 'etcd'))) as unknown as typeof sections
}

/** The one whose section the file has. @throws ClusterError ERR_INVALID_ARGUMENT when it has both */
export function engineOf ({ written }: Pick<Settings, 'written'>): Engine {
  if (written.has('raft') && written.has('etcd')) throw new ClusterError('ERR_INVALID_ARGUMENT', 'service.json has consensus.raft and consensus.etcd: a peer agrees by one of them, leave the other out')
  return written.has('etcd') ? 'etcd' : 'raft'
}

/**
 * A pinset belongs to the engine that wrote it: its revisions mean nothing to the other.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT that says how the pins come along
 */
export async function assertEngine (folder: PeerFolder, settings: Pick<Settings, 'written'>): Promise<void> {
  const engine = engineOf(settings)
  const [hasEtcd, hasRaft] = [await isThere(join(folder.state, markFileName)), await isThere(folder.raft)]
  if (engine === 'etcd' ? !hasRaft : !hasEtcd) return
  throw new ClusterError('ERR_INVALID_ARGUMENT', `the state in ${folder.state} was kept by ${engine === 'etcd' ? 'Raft' : 'etcd'}, and service.json has consensus.${engine}. The pins come along like this: "ipfs-cluster-service state export --file pins.json", ` +
    '"ipfs-cluster-service --force state cleanup", start the peer, "ipfs-cluster-service state import pins.json" (docs/consensus.md)')
}
