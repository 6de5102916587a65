/** What `ipfs-cluster-ctl` is asked, in this order: later ones see what earlier ones did. */
export interface CtlInvocation {
  /** Words with spaces between; in one, `_` is a space, and `{self}` and `{cid}` stand for the peer and for `a.txt`. */
  readonly line: string
  /** What is to be so before: further lines, which nobody compares. */
  readonly first?: readonly string[]
  /** The door that is asked: usually one for all, else one with TLS and passwords, or one where nobody listens. */
  readonly door?: 'all' | 'guarded' | 'nobody'
}

const says = (text: string): CtlInvocation[] => text.split('\n').map(line => line.trim()).filter(line => line !== '').map(line => ({ line }))
const after = (line: string, ...first: readonly string[]): CtlInvocation => ({ line, first })

const adding = says(`
  add a.txt
  --enc json add a.txt
  add -q a.txt
  add -r tree
  add -q -r tree
  add -Q -r tree
  add -r -H tree
  --enc json add -r tree
  --enc json add --no-stream -r tree
  --enc json add --no-stream -Q -r tree
  add --no-stream -r tree
  add -w a.txt
  add a.txt tree/sub/b_ü.txt
  add --raw-leaves a.txt
  add --cid-version 1 -s size-2 --layout trickle a.txt
  add --hash sha3-512 -r tree
  add --no-pin a.txt
  add --wait --local --name <n>_&_ü --metadata k=<v> --metadata b=c --expire-in 48h a.txt
  add --format car a.txt
  add nothing
  add tree
  add
  add --format car -w a.txt
`)

const pinning = [
  ...says(`
    pin add --wait {cid}
    pin add --ns --name <n>_&_ü --metadata z=1 --metadata a=<2> {cid}
    --enc json pin add --ns --name again --replication 1 --allocations {self} {cid}
    pin add --wait --wait-timeout 1m --rmin 1 --rmax 1 /ipfs/{cid}
    pin add --rmin 3 --rmax 2 {cid}
    pin add --rmin two {cid}
    pin add --wait-timeout 3 {cid}
    pin add --metadata nothing {cid}
    pin add --allocations nobody {cid}
    pin add nonsense
    pin ls {cid}
    --enc json pin ls {cid}
    pin ls
    --enc json pin ls
    pin ls --filter pin
    pin ls --filter shard-pin,meta-pin
    pin ls QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o
    --enc json pin ls QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o
    pin ls nonsense
    pin update QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o {cid}
    pin update nonsense {cid}
  `),
  after('pin update --wait --ns --name new {cid} bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am', 'add --raw-leaves --no-pin a.txt', 'pin add {cid}'),
  after('pin rm --ns {cid}', 'add a.txt'),
  after('pin rm --wait /ipfs/{cid}', 'add a.txt'),
  ...says('pin rm {cid}'),
  after('pin add --ns --mode direct {cid}', 'add --no-pin a.txt'),
  ...says('pin ls {cid}'),
  after('status {cid}', 'pin rm {cid}', 'add --name kept a.txt')
]

const asking = says(`
  id
  --enc json id
  version
  --enc json version
  peers ls
  --enc json peers ls
  peers rm nobody
  status
  --enc json status
  status --local
  status --filter pinned
  status --filter error,queued
  status --filter nonsense
  --enc json status {cid}
  status {cid} QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o
  status nonsense
  recover
  recover {cid}
  --enc json recover --local {cid}
  health graph
  health graph --all-ipfs-peers
  health metrics
  --enc json health metrics
  health metrics freespace
  --enc json health metrics freespace
  health metrics ping
  health metrics nothing
  --enc json health metrics nothing
  health alerts
  --enc json health alerts
  health bandwidth
  --enc json health bandwidth
  --enc yaml id
  --host nonsense id
  --timeout soon id
`)

const collecting = [after('ipfs gc', 'ipfs gc', 'add --no-pin lonely.txt'), after('--enc json ipfs gc --local', 'ipfs gc', 'add --no-pin lonely.txt')]

const guarded = says(`
  --https --no-check-certificate --basic-auth alice:secret version
  --no-check-certificate --basic-auth alice:secret version
  --no-check-certificate --basic-auth alice:wrong version
  --enc json --no-check-certificate --basic-auth alice:wrong version
  --no-check-certificate --basic-auth alice version
  --https --no-check-certificate version
  --basic-auth alice:secret version
`).map(one => ({ ...one, door: 'guarded' as const }))

const nobody = says(`
  id
  --enc json peers ls
  add a.txt
`).map(one => ({ ...one, door: 'nobody' as const }))

export const invocations: readonly CtlInvocation[] = [...adding, ...pinning, ...asking, ...collecting, ...guarded, ...nobody]
