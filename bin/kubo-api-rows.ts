/** What a page about the proxy says of commands that the code cannot say itself: why, and which tests show it. */
export interface ApiRow {
  /** Paths of commands; `*` at the end stands for all that no row before has taken. */
  readonly of: readonly string[]
  /** All daemons of the cluster are asked. */
  readonly isAggregated?: boolean
  readonly why: string
  /** `file: title`, or `recordings: group`. */
  readonly tests: readonly string[]
}

const everyCommand = 'proxy/every-command.test.ts: '
const passes = `${everyCommand}a command that is not ours reaches the daemon as it was asked, and its answer reaches the client`
const refused = `${everyCommand}off loopback the daemon hears of no command that is refused there, and of all others`
const absent = `${everyCommand}what Kubo serves on its command line alone is asked of the daemon, which knows no such path`
const commands = 'proxy/commands.test.ts: '
const uploads = 'ipfs-compat-tests/uploads.test.ts: '
const fromOneDaemon = 'behind a load balancer the same one has to be asked each time'

/** The first that fits. */
export const apiRows: readonly ApiRow[] = [
  { of: ['add'], why: 'the blocks go to the allocated daemons, and each root is a pin of the cluster; with `only-hash`, `pin=false` or `nocopy` it passes', tests: [`${uploads}an add is a pin of the cluster and of the daemon, by its name`, 'recordings: add-files', 'recordings: add-options', 'recordings: add-errors'] },
  { of: ['dag/import'], why: 'the blocks go to the allocated daemons, and each root is a pin of the cluster; with `pin-roots=false` or `local-only` it passes', tests: [`${uploads}a root that is not there fails alone`, 'recordings: dag-import'] },
  { of: ['block/put', 'dag/put'], why: 'with `pin` what is put is a pin of the cluster; without it passes', tests: [`${uploads}what is put and pinned is a pin of the cluster, also when a child is missing`, 'recordings: block', 'recordings: dag'] },
  { of: ['block/rm'], why: 'what the cluster pins is refused, also before this daemon holds it', tests: [`${commands}block/rm refuses what is pinned`, 'recordings: block'] },
  { of: ['pin/add'], why: 'a pin of the cluster, answered when it is held', tests: [`${commands}pinning one again makes it the cluster its own`, `${commands}a pin that times out leaves nothing behind`, 'recordings: pin-add'] },
  { of: ['pin/rm'], why: 'unpinned in the cluster, answered when this daemon has let go', tests: [`${commands}pin/rm takes away both kinds, and says of neither what Kubo would not`, 'recordings: pin-rm'] },
  { of: ['pin/ls'], why: 'the pins of the cluster, and what the daemon pins besides', tests: [`${commands}its pins are listed with those of the cluster`, `${commands}a pin of the cluster that this daemon does not hold is listed all the same`, 'recordings: pin-ls'] },
  { of: ['pin/update'], why: 'a pin of the cluster with all that the old one was asked for', tests: [`${commands}pin/update takes one over with its name`, 'recordings: pin-update'] },
  { of: ['repo/stat', 'stats/repo'], isAggregated: true, why: 'sums over the daemons of the cluster; path and version are those of this one', tests: [`${commands}repo/stat has its five keys, and repo/gc frees what was unpinned`, "cluster/global-repo.test.ts: sizes are summed over those that answer, the path is this peer\\'s, and no limit stays no limit", 'recordings: repo'] },
  { of: ['repo/gc'], isAggregated: true, why: 'every daemon of the cluster collects', tests: ['cluster/global-repo.test.ts: every member collects; one that fails is a line with its error, after what it had told', 'recordings: repo'] },

  { of: ['pin/verify'], why: 'each daemon knows what it holds itself', tests: [passes, 'recordings: pin-ls'] },
  { of: ['pin/remote/service', 'pin/remote/service/*'], why: 'keys of other services, kept in the configuration of this daemon', tests: [refused, 'recordings: pin-remote'] },
  { of: ['pin/remote', 'pin/remote/*'], why: 'asks other services, in the name of this daemon', tests: [passes, 'recordings: pin-remote'] },
  { of: ['files/chroot', 'key/export', 'key/rotate', 'config/edit', 'repo/migrate', 'diag/datastore/*', 'update', 'update/*', 'commands/completion/*'], why: 'Kubo answers 404 to it: not over HTTP', tests: [absent] },
  { of: ['files/stat', 'files/read', 'files/ls'], why: `the files of this daemon; ${fromOneDaemon}`, tests: [passes, 'recordings: files'] },
  { of: ['files', 'files/*'], why: `the files of this daemon, whose root can be kept as a pin of the cluster (\`pin_mfs_root\`); ${fromOneDaemon}`, tests: [passes, 'ipfs-compat-tests/mfs-root.test.ts: the files of one peer are kept by the cluster', 'recordings: files'] },
  { of: ['filestore', 'filestore/*'], why: 'files on the disk of this daemon\'s machine', tests: [passes] },
  { of: ['shutdown'], why: 'stops this daemon, not the cluster', tests: [refused] },
  { of: ['config/show'], why: 'the configuration of this daemon; Kubo leaves its private key out', tests: [passes, 'recordings: node'] },
  { of: ['config', 'config/replace', 'config/profile', 'config/profile/*'], why: 'the configuration of this daemon: ports, users, and what decides CIDs. `config` reads and writes by one path, so both are refused where one is', tests: [refused, 'recordings: node'] },
  { of: ['bootstrap', 'bootstrap/list'], why: 'the configuration of this daemon', tests: [passes, 'recordings: node'] },
  { of: ['bootstrap/*'], why: 'whom this daemon trusts to find others', tests: [refused] },
  { of: ['key', 'key/ls', 'key/list', 'key/verify'], why: `keys of this daemon; ${fromOneDaemon}`, tests: [passes, 'recordings: node'] },
  { of: ['key/*'], why: `the keys by which this daemon signs names; ${fromOneDaemon}`, tests: [refused] },
  { of: ['name/publish'], why: `signed with a key of this daemon; ${fromOneDaemon}`, tests: [passes] },
  { of: ['name', 'name/*'], why: 'asks the network', tests: [passes] },
  { of: ['diag', 'diag/healthy'], why: 'of this daemon; how the cluster is, the REST API tells', tests: [passes] },
  { of: ['diag/*'], why: 'tells of this daemon\'s machine and of what others ask, or holds it up', tests: [refused] },
  { of: ['log', 'log/ls'], why: 'of this daemon', tests: [passes] },
  { of: ['log/*'], why: 'shows what others ask of this daemon', tests: [refused] },
  { of: ['mount'], why: 'mounts file systems on this daemon\'s machine', tests: [refused] },
  { of: ['p2p', 'p2p/*'], why: 'opens ports and tunnels on this daemon\'s machine', tests: [refused] },
  { of: ['swarm/connect'], why: 'a connection of this daemon; applications use it so that theirs is found, so it is let through everywhere', tests: [passes] },
  { of: ['swarm/disconnect', 'swarm/filters/*', 'swarm/peering/add', 'swarm/peering/rm'], why: 'with whom this daemon keeps connections; the peers of a cluster need those between theirs', tests: [refused] },
  { of: ['swarm', 'swarm/*', 'ping', 'id'], why: 'the connections and the identity of this daemon', tests: [passes, 'recordings: node'] },
  { of: ['provide/clear'], why: 'what this daemon still has to announce', tests: [refused] },
  { of: ['provide', 'provide/*', 'routing', 'routing/*', 'dht', 'dht/*'], why: 'asks the network, and announces in the name of this daemon', tests: [passes] },
  { of: ['pubsub', 'pubsub/*'], why: `messages of this daemon, without end; ${fromOneDaemon}`, tests: [passes, 'proxy/passthrough.test.ts: the client is told at once that an answer has begun, by each byte of its head'] },
  { of: ['bitswap', 'bitswap/*', 'stats', 'stats/*'], why: 'figures of this daemon', tests: [passes] },
  { of: ['repo', 'repo/version', 'repo/verify', 'repo/ls', 'refs/local'], why: 'the store of this daemon', tests: [passes, 'recordings: repo'] },
  { of: ['cat', 'get', 'ls', 'refs', 'resolve', 'block', 'block/*', 'dag', 'dag/*'], why: 'this daemon has it, or fetches it from the others', tests: [passes, 'recordings: reads', 'recordings: dag', 'recordings: block'] },
  { of: ['object', 'object/*'], why: 'makes and compares nodes that nobody pins; most are gone from Kubo, which says so', tests: [passes] },
  { of: ['pin'], why: 'only holds other commands', tests: [passes] },
  { of: ['version', 'version/*', 'commands', 'commands/completion'], why: 'clients ask before anything else who answers', tests: [passes, 'recordings: node'] },
  { of: ['cid', 'cid/*', 'multibase', 'multibase/*'], why: 'computes, and needs no store', tests: [passes] }
]

/** @throws Error when nothing is said of it */
export function rowOf (path: string): ApiRow {
  const found = apiRows.find(({ of }) => of.some(entry => entry.endsWith('*') ? path.startsWith(entry.slice(0, -1)) : path === entry))
  if (found === undefined) throw new Error(`nothing is said of ${path}: add it to bin/kubo-api-rows.ts`)
  return found
}
