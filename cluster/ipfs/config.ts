import { boolean, durationMs, endpoint, local, optional, secret, section, text } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

const fields = {
  /** Where the daemon's API listens: TCP, HTTPS or a unix socket. */
  nodeMultiaddress: local(endpoint('/ip4/127.0.0.1/tcp/5001')),
  /** What the daemon's `API.Authorizations` asks for, spelt as the `ipfs` CLI's `--api-auth`. */
  apiAuth: secret(optional(text('', { expects: 'basic:user:password or bearer:token', pattern: /^(basic:[^:]+:.*|bearer:.+)$/ }))),
  /** For requests that are quick by nature. 0 is no limit. */
  ipfsRequestTimeout: durationMs('5m'),
  /** A pin that makes no progress for so long is given up; one that moves may take days. */
  pinTimeout: durationMs('2m', { min: '1s' }),
  /** Longest that one unpin may take. 0 is no limit. */
  unpinTimeout: durationMs('3h'),
  /** Longest that one garbage collection may take. 0 is no limit. One that cannot begin because somebody else has the daemon pin or import something is given up after `pin_timeout`. */
  repogcTimeout: durationMs('24h'),
  /** How long after the start the daemon is connected to the daemons of the other peers. */
  connectSwarmsDelay: durationMs('5s'),
  /** Refuses to unpin anything on this daemon. */
  unpinDisable: boolean(false)
}

export type IpfsHttpConfig = ConfigOf<typeof fields>
export const ipfsHttpSection = section('ipfs_connector.ipfshttp', 'CLUSTER_IPFSHTTP', fields, { goOnly: ['informer_trigger_interval'] })
