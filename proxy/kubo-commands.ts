/** `local` commands are not served over HTTP: Kubo answers 404. `group` only holds others. What is `removed` answers with a hint. */
export type KuboCommandMark = 'group' | 'local' | 'deprecated' | 'experimental' | 'removed'

export interface KnownCommand { readonly path: string, readonly marks: ReadonlySet<KuboCommandMark> }

/** Every command below `/api/v0/` of Kubo 0.44. Later ones pass through like these; this is what can be told about them beforehand. */
const list = `
add
bitswap group
bitswap/stat
bitswap/wantlist
bitswap/ledger
bitswap/reprovide deprecated
block group
block/stat
block/get
block/put
block/rm
cat
commands
commands/completion group
commands/completion/bash local
commands/completion/zsh local
commands/completion/fish local
files group
files/read
files/write
files/mv
files/cp
files/ls
files/mkdir
files/stat
files/rm
files/flush
files/chcid
files/chmod experimental
files/chroot local experimental
files/touch experimental
filestore group
filestore/ls
filestore/verify
filestore/dups
get
provide group experimental
provide/clear experimental
provide/once experimental
provide/stat experimental
pubsub group experimental
pubsub/pub experimental
pubsub/sub experimental
pubsub/ls experimental
pubsub/peers experimental
pubsub/reset experimental
repo group
repo/stat
repo/gc
repo/version
repo/verify
repo/migrate local
repo/ls
stats group
stats/bw
stats/repo
stats/bitswap
stats/dht
stats/provide deprecated
stats/reprovide deprecated
bootstrap
bootstrap/list
bootstrap/add
bootstrap/rm
bootstrap/rm/all
config
config/show
config/edit local
config/replace
config/profile group
config/profile/apply
dag group
dag/put
dag/get
dag/resolve
dag/import
dag/export
dag/stat
dht group deprecated
dht/query deprecated
dht/findprovs removed
dht/findpeer removed
dht/get removed
dht/put removed
dht/provide removed
routing group
routing/findprovs
routing/findpeer
routing/get experimental
routing/put experimental
routing/provide deprecated
routing/reprovide deprecated
diag group
diag/sys
diag/cmds
diag/cmds/clear
diag/cmds/set-time
diag/profile
diag/datastore group experimental
diag/datastore/get local experimental
diag/datastore/put local experimental
diag/datastore/count local experimental
diag/healthy
id
key group
key/gen
key/export local
key/import
key/list deprecated
key/ls
key/rename
key/rm
key/rotate local
key/sign experimental
key/verify experimental
log group
log/level
log/ls
log/tail experimental
ls
mount experimental
name group
name/publish
name/resolve
name/pubsub group experimental
name/pubsub/state experimental
name/pubsub/subs experimental
name/pubsub/cancel experimental
name/inspect experimental
name/get experimental
name/put experimental
object group deprecated
object/data removed
object/diff deprecated
object/get removed
object/links removed
object/new removed
object/patch group deprecated
object/patch/append-data removed
object/patch/add-link deprecated
object/patch/rm-link deprecated
object/patch/set-data removed
object/put removed
object/stat removed
pin group
pin/add
pin/rm
pin/ls
pin/verify
pin/update
pin/remote group
pin/remote/add
pin/remote/ls
pin/remote/rm
pin/remote/service group
pin/remote/service/add
pin/remote/service/ls
pin/remote/service/rm
ping
p2p group experimental
p2p/stream group experimental
p2p/stream/ls experimental
p2p/stream/close experimental
p2p/forward experimental
p2p/listen experimental
p2p/close experimental
p2p/ls experimental
refs
refs/local
resolve
swarm group
swarm/addrs
swarm/addrs/autonat
swarm/addrs/local
swarm/addrs/listen
swarm/connect
swarm/disconnect
swarm/filters
swarm/filters/add
swarm/filters/rm
swarm/peers
swarm/peering group
swarm/peering/add
swarm/peering/ls
swarm/peering/rm
swarm/resources experimental
update group local experimental
update/check local experimental
update/versions local experimental
update/install local experimental
update/revert local experimental
update/clean local experimental
version
version/deps
version/check
shutdown
cid group
cid/inspect
cid/format
cid/base32
cid/bases
cid/codecs
cid/hashes
multibase group
multibase/encode
multibase/decode
multibase/transcode
multibase/list
`

export const knownCommands: ReadonlyMap<string, KnownCommand> = new Map(list.trim().split('\n').map(line => {
  const [path, ...marks] = line.split(' ')
  return [path!, { path: path!, marks: new Set(marks as KuboCommandMark[]) }]
}))

/** Names for the same command. */
const aliases: readonly (readonly string[])[] = [
  ['repo/stat', 'stats/repo'],
  ['repo/ls', 'refs/local'],
  ['bitswap/stat', 'stats/bitswap'],
  ['provide/stat', 'stats/provide'],
  ['bitswap/reprovide', 'routing/reprovide', 'stats/reprovide'],
  ['bootstrap', 'bootstrap/list'],
  ['bootstrap/rm', 'bootstrap/rm/all'],
  ['key/ls', 'key/list'],
  ['cid/bases', 'multibase/list']
]
const aliasesByName = new Map(aliases.flatMap(names => names.map(name => [name, names])))

/** All the names of a command, its own among them. */
export const namesOf = (path: string): readonly string[] => aliasesByName.get(path) ?? [path]

const withCommandsBelow = new Set([...knownCommands.keys()].flatMap(path => path.split('/').slice(0, -1).map((_, i, all) => all.slice(0, i + 1).join('/'))))

/** Whether further commands stand below it, so that one more segment need not be its argument. */
export const hasCommandsBelow = (path: string): boolean => withCommandsBelow.has(path)
