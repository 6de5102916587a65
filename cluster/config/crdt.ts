import { parseTree } from './service-json.ts'
import type { Part } from './service-json.ts'

export interface Converted {
  readonly json: string
  /** What was done, a line each. */
  readonly changes: readonly string[]
}

/**
 * A `service.json` of the Go program for CRDT → one for Raft: `consensus.raft` takes the place of `consensus.crdt`, and `datastore`, which belongs to that, goes.
 * Everything else stays as it is written. Who founds the cluster is for the caller to say, who knows the peers.
 *
 * @param raft what `consensus.raft` gets besides the cluster's name
 * @returns undefined when there is nothing to convert
 */
export function convertCrdt (json: string, { raft = {}, cluster = {} }: { readonly raft?: Part, readonly cluster?: Part } = {}): Converted | undefined {
  const tree = parseTree(json)
  const { crdt, ...consensus } = (tree['consensus'] ?? {}) as { readonly crdt?: Part }
  if (crdt === undefined) return undefined

  const trusted = (crdt['trusted_peers'] ?? ['*']) as readonly string[]
  const isLimited = !trusted.includes('*')
  const name = crdt['cluster_name']
  const { datastore, ...others } = tree
  const converted = {
    ...others,
    cluster: { ...tree['cluster'] as Part | undefined, ...cluster },
    consensus: { ...consensus, raft: { ...(consensus as { readonly raft?: Part }).raft, ...name !== undefined && { cluster_name: name }, ...isLimited && { trusted_peers: trusted }, ...raft } }
  }
  return {
    json: `${JSON.stringify(converted, null, 2)}\n`,
    changes: [
      `consensus.crdt → consensus.raft${name === undefined ? '' : ` (cluster_name ${JSON.stringify(name)} kept)`}`,
      ...isLimited ? ['trusted_peers are kept: they and the founder may change the pinset, the others store'] : [],
      ...datastore === undefined ? [] : ['datastore is gone: a peer keeps its state in one store of its own']
    ]
  }
}
