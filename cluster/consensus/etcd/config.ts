import { durationMs, integer, local, optional, secret, section, text, texts } from '../../config/section.ts'
import type { ConfigOf } from '../../config/section.ts'

const fields = {
  /** etcd's members; another one is asked when one does not answer. All have to be of one etcd. */
  endpoints: local(texts(['http://127.0.0.1:2379'], { expects: 'addresses like http://127.0.0.1:2379', pattern: /^https?:\/\/([^\s/:@[\]]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?\/?$/ })),
  /** What all keys of this cluster begin with: its name in etcd. Peers with another prefix are another cluster. */
  prefix: text('/ipfs-cluster', { expects: 'a name that begins with a slash, of letters, digits and -_./, without one at the end', pattern: /^(\/[\w.-]+)+$/ }),
  /** Whom etcd takes this peer for, where authentication is enabled there. */
  username: optional(text('')),
  /** That user's password. */
  password: secret(optional(text(''))),
  /** Certificates that vouch for etcd's own (PEM); without it those of the system. */
  caFile: local(optional(text(''))),
  /** This peer's own certificate (PEM), for an etcd that asks for one. Who writes is told by user and password all the same: etcd's gateway does not look at the name in it. */
  certFile: local(optional(text(''))),
  /** The key of that certificate (PEM). */
  keyFile: local(optional(text(''))),
  /** How long one member of etcd may take for an answer before the next one is asked. */
  requestTimeout: durationMs('3s', { min: '100ms' }),
  /** How long a change of the pinset may take, however many members are asked, before it fails. */
  commitTimeout: durationMs('15s', { min: '1s' }),
  /** How long etcd remembers that a peer is there after it was last heard of. */
  leaseTtl: durationMs('15s', { min: '5s', max: '1h' }),
  /** What etcd's own `--max-txn-ops` is: so many operations share one transaction at most. */
  maxTxnOps: integer(128, { min: 16, max: 10_000 }),
  /** The peers that may change the pinset, by their ids; `*` is every member. As `consensus.raft.trusted_peers` it says something only where a cluster is founded. What keeps the others from writing is the role that etcd gives their user. */
  trustedPeers: texts(['*'], { expects: 'peer ids, or *', pattern: /^(\*|(12D3|16U|Qm)[1-9A-HJ-NP-Za-km-z]+)$/ })
}

export type EtcdConfig = ConfigOf<typeof fields>
export const etcdSection = section('consensus.etcd', 'CLUSTER_ETCD', fields, {
  check ({ endpoints, username, password, certFile, keyFile, requestTimeout, commitTimeout }) {
    if (endpoints.length === 0) return 'endpoints: expected at least one'
    if ((username === undefined) !== (password === undefined)) return 'username: expected together with password'
    if ((certFile === undefined) !== (keyFile === undefined)) return 'cert_file: expected together with key_file'
    return commitTimeout < requestTimeout ? 'commit_timeout: expected at least request_timeout' : undefined
  }
})
