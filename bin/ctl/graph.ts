import { printable } from './printable.ts'

/** ipfs-cluster's ConnectGraph, as far as it is drawn. */
interface GraphJson {
  readonly cluster_id: string
  readonly id_to_peername: Readonly<Record<string, string>>
  readonly ipfs_links: Links
  readonly cluster_links: Links
  readonly cluster_trust_links: Readonly<Record<string, boolean>>
  readonly cluster_to_ipfs: Readonly<Record<string, string>>
}
type Links = Readonly<Record<string, readonly string[] | null>>

const common = 'style="filled" colorscheme="x11" fontcolor="black" fontname="Arial"'

/**
 * The graph in Graphviz's language, drawn as the Go tool draws it: boxes for peers (the asked one with a double border), cylinders for their
 * daemons, red ones for those that did not answer.
 *
 * @param allIpfs also draws the nodes outside the cluster that the daemons are connected with
 */
export function dotText (json: unknown, allIpfs: boolean): string {
  const { cluster_id: self, id_to_peername: names, ipfs_links: swarm, cluster_links: peers, cluster_trust_links: trust, cluster_to_ipfs: daemons } = json as GraphJson
  const peerIds = Object.keys(peers).sort()
  const daemonIds = [...new Set([...Object.keys(swarm), ...allIpfs ? Object.values(swarm).flatMap(links => links ?? []) : []])].sort()
  const silent = peerIds.filter(peer => daemons[peer] === undefined)
  const peerNodes = new Map(peerIds.map((peer, i) => [peer, `${peer !== self && trust[peer] === true ? 'T' : 'C'}${i}`]))
  const daemonNodes = new Map([...daemonIds, ...silent].map((id, i) => [id, `I${i}`]))

  return [
    'digraph cluster {',
    '/* The nodes of the connectivity graph */',
    '/* The cluster-service peers */',
    ...subgraph('min', peerIds.map(peer => {
      const color = peer === self || trust[peer] === true ? 'orange' : 'darkorange3'
      return `${peerNodes.get(peer)} [label=${label(names[peer] ?? '', shortened(peer))} group="${plain(peer)}" color="${color}" ${common} shape="box3d" ${peer === self ? 'peripheries="2" ' : ''}]`
    })),
    '/* The ipfs peers */',
    ...subgraph('max', [...daemonIds.map(id => [id, shortened(id), 'turquoise3']), ...silent.map(peer => [peer, 'Errored', 'firebrick1'])].map(([id, short, color]) =>
      `${daemonNodes.get(id!)} [label=${label('IPFS', short!)} group="${plain(id!)}" color="${color}" ${common} shape="cylinder" ]`)),
    '/* Edges representing active connections in the cluster */',
    '/* The connections among cluster-service peers */',
    ...edges(peers, peerNodes, peerIds),
    '',
    '/* The connections between cluster peers and their ipfs daemons */',
    ...peerIds.map(peer => daemons[peer] === undefined ? `${peerNodes.get(peer)} -> ${daemonNodes.get(peer)} [ style="dotted" ]` : `${peerNodes.get(peer)} -> ${daemonNodes.get(daemons[peer])}`),
    '',
    '/* The swarm peer connections among ipfs daemons in the cluster */',
    ...edges(swarm, daemonNodes, daemonIds),
    '}' // without an end of line: so it is Go's
  ].join('\n')
}

const subgraph = (rank: string, nodes: readonly string[]): string[] => ['subgraph  {', `rank="${rank}"`, ...nodes, '}', '']

function edges (links: Links, nodes: ReadonlyMap<string, string>, from: readonly string[]): string[] {
  return from.flatMap(id => (links[id] ?? []).filter(other => nodes.has(other)).map(other => `${nodes.get(id)} -> ${nodes.get(other)}`))
}

const label = (name: string, id: string): string => `< <B> ${plain(name)} </B> <BR/> <B> ${plain(id)} </B> >`
const shortened = (id: string): string => `${id.slice(0, 2)}*${id.slice(-6)}`

/** Names come from other peers, and labels are markup. */
function plain (text: string): string {
  return printable(text).replace(/[&<>"]/g, character => `&#${character.codePointAt(0)!};`)
}
