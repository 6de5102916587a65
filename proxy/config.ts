import { durationMs, endpoint, endpoints, oneOf, optional, section, secret, text, boolean } from '../cluster/config/section.ts'
import type { ConfigOf } from '../cluster/config/section.ts'

const fields = {
  /** Where clients find the proxy. */
  listenMultiaddress: endpoints(['/ip4/127.0.0.1/tcp/9095']),
  /** The daemon behind it. */
  nodeMultiaddress: endpoint('/ip4/127.0.0.1/tcp/5001'),
  /** Speak TLS to the daemon although its address does not say so. */
  nodeHttps: boolean(false),
  /** What the proxy's own calls to the daemon show, spelt as the `ipfs` CLI's `--api-auth`. Callers bring their own. */
  apiAuth: secret(optional(text('', { expects: 'basic:user:password or bearer:token', pattern: /^(basic|bearer):./ }))),
  /** How long an answer of pin/add, add and dag/import is held back. */
  pinWait: oneOf('min', ['commit', 'min', 'all']),
  /** How long what the daemon says about its headers and guards is remembered. It is forgotten at once when a connection to it ends. */
  extractHeadersTtl: durationMs('1m', { min: '0s' })
}

export const proxySection = section('api.ipfsproxy', 'CLUSTER_IPFSPROXY', fields, {
  // The Go proxy's limits cut long uploads and long queries, which Kubo allows; its header probe is done differently here.
  goOnly: ['log_file', 'read_timeout', 'read_header_timeout', 'write_timeout', 'idle_timeout', 'max_header_bytes', 'extract_headers_extra', 'extract_headers_path']
})

export type ProxyConfig = ConfigOf<typeof fields>
