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
  readonly daemon: string
  readonly folder: string
  readonly pins: number
}

/** What somebody who has just started a peer wants to know: what listens where, on what it stands, and what to try next. */
export function panel ({ id, peername, peers, proxy, rest, daemon, folder, pins }: PanelFacts): string {
  const rows = [
    ['peer', `${id} (${peername})`],
    ['IPFS proxy', proxy.length === 0 ? 'off (service.json has no api.ipfsproxy)' : `${urls(proxy)}   use it like the API of a Kubo`],
    ['REST API', rest.length === 0 ? 'off (service.json has no api.restapi)' : `${urls(rest)}   for ipfs-cluster-ctl`],
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
    ...suggestions(proxy[0], rest[0]).map(line => `  ${line}`),
    '',
    ''
  ].join('\n')
}

function suggestions (proxy: Endpoint | undefined, rest: Endpoint | undefined): string[] {
  const isUsual = rest?.multiaddr === '/ip4/127.0.0.1/tcp/9094'
  const ctl = `npm run -s ctl -- ${rest === undefined || isUsual ? '' : `--host ${rest.multiaddr} `}`
  return [
    ...proxy === undefined ? [] : [proxy.kind === 'tcp' ? `curl -F file=@README.md ${urlOf(proxy)}/api/v0/add` : `curl --unix-socket ${proxy.path} -F file=@README.md http://localhost/api/v0/add`],
    ...proxy === undefined ? [] : [`ipfs --api ${proxy.multiaddr} pin ls`],
    ...rest === undefined ? [] : [`${ctl}status`]
  ]
}

const urls = (endpoints: readonly Endpoint[]): string => endpoints.map(urlOf).join(', ')
