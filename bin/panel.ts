import { urlOf } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import { version } from './version.ts'

export interface PanelFacts {
  readonly id: PeerId
  readonly peername: string
  /** Where other peers reach this one. */
  readonly peers: readonly string[]
  /** Empty for a door that service.json leaves out. */
  readonly proxy: readonly Endpoint[]
  readonly rest: readonly Endpoint[]
  /** Whether the REST API wants a user and a password. */
  readonly restHasUsers: boolean
  /** Where numbers for Prometheus are told, if they are. */
  readonly stats: Endpoint | undefined
  readonly daemon: string
  readonly folder: string
  readonly pins: number
}

/** What somebody who has just started a peer wants to know: what listens where, on what it stands, and what to try next. */
export function panel (facts: PanelFacts): string {
  const { id, peername, peers, proxy, rest, restHasUsers, stats, daemon, folder, pins } = facts
  const rows = [
    ['peer', `${id} (${peername})`],
    ['IPFS proxy', proxy.length === 0 ? 'off (service.json has no api.ipfsproxy)' : `${urls(proxy)}   use it like the API of a Kubo`],
    ['REST API', rest.length === 0 ? 'off (service.json has no api.restapi)' : `${urls(rest)}   for ipfs-cluster-ctl${restHasUsers ? ', with a password' : ''}`],
    ...stats === undefined ? [] : [['metrics', `${urlOf(stats)}/metrics   for Prometheus`]],
    ['peers', peers.length === 0 ? 'none can reach this one' : `join at ${peers[0]}`],
    ['daemon', daemon],
    ['folder', folder],
    ['pinset', `${pins} pin${pins === 1 ? '' : 's'}`]
  ]
  return [
    `ipfs-quorum ${version} is ready`,
    '',
    ...rows.map(([name, value]) => `  ${name!.padEnd(11)} ${value}`),
    '',
    'try',
    ...suggestions(facts).map(line => `  ${line}`),
    '',
    ''
  ].join('\n')
}

function suggestions ({ proxy: [proxy], rest: [rest], restHasUsers }: PanelFacts): string[] {
  return [
    ...proxy === undefined ? [] : [proxy.kind === 'tcp' ? `curl -F file=@README.md ${urlOf(proxy)}/api/v0/add` : `curl --unix-socket ${proxy.path} -F file=@README.md http://localhost/api/v0/add`],
    ...proxy === undefined ? [] : [`ipfs --api ${proxy.multiaddr} pin ls`],
    ...rest === undefined ? [] : [['npm run -s ctl --', ...ctlFlags(rest, restHasUsers), 'status'].join(' ')]
  ]
}

/** What the ctl has to be told to get in. A password says `--https` by itself. */
function ctlFlags (rest: Endpoint, hasUsers: boolean): string[] {
  const isSecure = rest.kind === 'tcp' && rest.secure
  return [
    ...rest.multiaddr === '/ip4/127.0.0.1/tcp/9094' ? [] : [`--host ${rest.multiaddr}`],
    ...hasUsers ? ['--basic-auth USER:PASSWORD'] : isSecure ? ['--https'] : [],
    ...hasUsers && !isSecure ? ['--force-http'] : []
  ]
}

const urls = (endpoints: readonly Endpoint[]): string => endpoints.map(urlOf).join(', ')
