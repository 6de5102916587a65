import { doors, durationMs, endpoint, local, oneOf, optional, section, secret, text, texts, boolean } from '../cluster/config/section.ts'
import type { ConfigOf, Field } from '../cluster/config/section.ts'

const fields = {
  /** Where clients find the proxy. */
  listenMultiaddress: local(doors(['/ip4/127.0.0.1/tcp/9095'])),
  /** The daemon behind it. */
  nodeMultiaddress: local(endpoint('/ip4/127.0.0.1/tcp/5001')),
  /** Speak TLS to the daemon although its address does not say so. */
  nodeHttps: local(boolean(false)),
  /** What the proxy's own calls to the daemon show, spelt as the `ipfs` CLI's `--api-auth`. Callers bring their own. */
  apiAuth: secret(optional(text('', { expects: 'basic:user:password or bearer:token', pattern: /^(basic|bearer):./ }))),
  /** How long an answer of pin/add, add and dag/import is held back. */
  pinWait: oneOf('min', ['commit', 'min', 'all']),
  /** How long what the daemon says about its headers and guards is remembered. It is forgotten at once when a connection to it ends. */
  extractHeadersTtl: durationMs('1m', { min: '0s' }),
  /** The only calls that are let through: command paths (`pin/ls`), also with `*` at their end (`files/*`), or with a slash in front paths beside `/api/v0` (`/webui*`). `version` always is. */
  allow: commandPaths('all but those of `deny`'),
  /** Calls that are refused with Kubo's 403, written likewise; stronger than `allow`. */
  deny: commandPaths('none; off loopback, unless `allow` is set, what administers the daemon ([the list](kubo-api.md))'),
  /** Has the cluster keep the files (MFS) of the daemon: their root is pinned as `mfs:` and this peer's id, and the pin follows it. */
  pinMfsRoot: boolean(false)
}

function commandPaths (fallbackInWords: string): Field<readonly string[] | undefined> {
  return { ...optional(texts([], { expects: 'command paths like shutdown, key/* or /debug/*', pattern: /^(?:\*|\/?[a-z0-9][a-z0-9/_.-]*\*?|\/\*?)$/i })), fallbackInWords }
}

export const proxySection = section('api.ipfsproxy', 'CLUSTER_IPFSPROXY', fields, {
  // The Go proxy's limits cut long uploads and long queries, which Kubo allows; its header probe is done differently here.
  goOnly: ['log_file', 'read_timeout', 'read_header_timeout', 'write_timeout', 'idle_timeout', 'max_header_bytes', 'extract_headers_extra', 'extract_headers_path']
})

export type ProxyConfig = ConfigOf<typeof fields>
