import { parseEndpoint } from '../../cluster/config/endpoint.ts'
import type { Endpoint } from '../../cluster/config/endpoint.ts'

/** Where the API is asked: over HTTP, or over HTTP in a stream of libp2p. */
export type Host = Endpoint | { readonly kind: 'libp2p', readonly multiaddr: string }

const usualPort = 9094

/**
 * The addresses of `--host`, commas between: `/ip4/127.0.0.1/tcp/9094`, without a port the usual one, `/dns4/name/tcp/443/https`,
 * `/unix/path`, and over libp2p what ends in `/p2p/<peer id>` or is found by `/dnsaddr/<name>`.
 *
 * @throws Error saying what was expected
 */
export async function parseHosts (text: string): Promise<readonly Host[]> {
  return await Promise.all(text.split(',').map(async address => {
    if (isLibp2p(address)) return await libp2pHost(address)
    return parseEndpoint(/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+$/.test(address) ? `${address}/tcp/${usualPort}` : address)
  }))
}

const isLibp2p = (address: string): boolean => !address.startsWith('/unix/') && (address.startsWith('/dnsaddr/') || /\/(p2p|ipfs)(\/|$)/.test(address))

async function libp2pHost (address: string): Promise<Host> {
  const [, peer] = /^(?:\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}|\/dnsaddr\/[^/]+)(?:\/(?:p2p|ipfs)\/([^/]+))?$/.exec(address) ?? ['', '?']
  const { parsePeerId } = await import('../../cluster/api/peer-id.ts')
  if (peer === '?') throw new Error(`expected a multiaddr like /ip4/192.0.2.1/tcp/9098/p2p/<peer id> or /dnsaddr/name, got ${JSON.stringify(address)}`)
  if (peer !== undefined) parsePeerId(peer)
  return { kind: 'libp2p', multiaddr: address.replace('/ipfs/', '/p2p/') }
}
