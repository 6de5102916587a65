import type { Flags, Program } from '../args.ts'
import { version } from '../version.ts'

const cid = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'
const other = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
const peer = '12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'

const waiting: Flags = {
  wait: { type: 'boolean', aliases: ['w'], help: 'wait until enough peers have reached the status' },
  'wait-limit': { type: 'string', aliases: ['wl'], kind: 'integer', help: 'how many peers are enough, 0 for all; implies --wait' },
  'wait-timeout': { type: 'string', aliases: ['wt'], kind: 'duration', help: 'how long to wait, like 30s (usually without end); implies --wait' }
}
const status: Flags = {
  'no-status': { type: 'boolean', aliases: ['ns'], help: 'print the pin; do not ask for its status afterwards' },
  ...waiting
}
const factors: Flags = {
  'replication-min': { type: 'string', aliases: ['rmin'], kind: 'integer', help: 'fewest peers that hold it; -1 is everywhere, 0 as configured' },
  'replication-max': { type: 'string', aliases: ['rmax'], kind: 'integer', help: 'most peers that hold it; -1 is everywhere, 0 as configured' }
}
const wishes: Flags = {
  allocations: { type: 'string', aliases: ['allocs'], help: 'peer ids that should hold it if they can, commas between' },
  name: { type: 'string', aliases: ['n'], help: 'a name for the pin' },
  'expire-in': { type: 'string', kind: 'duration', help: 'how long until it is unpinned, like 48h' },
  metadata: { type: 'string', multiple: true, help: 'key=value, may be given several times' }
}
const local: Flags = { local: { type: 'boolean', help: 'on the asked peer only' } }

export const program: Program = {
  name: 'ipfs-cluster-ctl',
  version,
  about: 'asks a cluster peer over its REST API',
  isHelpByDefault: true,
  flags: {
    host: { type: 'string', aliases: ['l'], fallback: '/ip4/127.0.0.1/tcp/9094', help: 'where the API is: multiaddrs, commas between, tried in turn; /unix/<path>, and with /p2p/<peer id> or /dnsaddr/<name> over libp2p' },
    secret: { type: 'string', help: 'of a Go cluster, whose peers serve the API over libp2p behind it: 64 hexadecimal digits' },
    https: { type: 'boolean', aliases: ['s'], help: 'speak TLS' },
    'no-check-certificate': { type: 'boolean', help: 'with TLS: take any certificate' },
    encoding: { type: 'string', aliases: ['enc'], fallback: 'text', words: ['text', 'json'], help: 'text or json' },
    timeout: { type: 'string', aliases: ['t'], kind: 'integer', fallback: '0', help: 'seconds until a request is given up; 0 is never' },
    debug: { type: 'boolean', aliases: ['d'], help: 'tell each request on the error output' },
    'basic-auth': { type: 'string', env: 'CLUSTER_CREDENTIALS', help: 'user[:password]; implies --https unless --force-http' },
    'force-http': { type: 'boolean', aliases: ['f'], help: 'send the password without TLS' },
    version: { type: 'boolean', aliases: ['v'], help: 'print the version of this program' }
  },
  examples: [
    'id',
    'add --name photos --recursive ./photos',
    `pin add --wait --rmin 2 --rmax 3 ${cid}`,
    `--enc json status ${cid}`,
    '--host /dns4/cluster.example/tcp/9094 --basic-auth alice:password peers ls',
    `--host /ip4/192.0.2.1/tcp/9098/p2p/${peer} id`
  ],
  groups: {
    peers: 'the peers of the cluster',
    pin: 'what is kept: pins, unpins and lists it',
    health: 'how the peers are',
    ipfs: 'the daemons of the peers'
  },
  commands: {
    id: { help: 'who the peer is, where it listens, which daemon it has', examples: ['id', '--enc json id'] },
    'peers ls': { help: 'the peers of the cluster', examples: ['peers ls'] },
    'peers add': { usage: '<peer id>', args: { min: 1, max: 1 }, help: 'shows a member, or how a peer becomes one\nA peer joins by itself: ipfs-cluster-service daemon --bootstrap <address of a member>.', examples: [`peers add ${peer}`] },
    'peers rm': { usage: '<peer id>', args: { min: 1, max: 1 }, help: 'takes a peer out of the cluster, dead or alive; one that runs stops', examples: [`peers rm ${peer}`] },
    'peers drain': {
      usage: '<peer id>',
      args: { min: 1, max: 1 },
      help: 'moves all pins off a peer, and waits until it holds none of its own\nOthers get a copy of each pin, then the peer is let off. It goes on when this command is ended, and through restarts; afterwards "peers rm" loses nothing.',
      flags: { stop: { type: 'boolean', help: 'move no more: the peer keeps what it still has' }, 'no-wait': { type: 'boolean', help: 'print how many pins there are to move, and end' } },
      examples: [`peers drain ${peer}`, `peers drain --stop ${peer}`]
    },
    'peers trusted': { help: 'the peers that may change the pinset; the other members only store', examples: ['peers trusted'] },
    'peers trust': {
      usage: '<peer id>',
      args: { min: 1, max: 1 },
      help: 'has a peer trusted to change the pinset\nA member gets a vote as soon as it has caught up; a peer that is no member yet will when it joins.',
      examples: [`peers trust ${peer}`]
    },
    'peers untrust': {
      usage: '<peer id>',
      args: { min: 1, max: 1 },
      help: 'has a peer only store from now on\nIt keeps its pins and is given new ones, and no other peer takes a change from it. Where all members were trusted, who joins afterwards only stores until it is trusted.',
      examples: [`peers untrust ${peer}`]
    },
    add: {
      usage: '<path|url>...',
      args: { min: 1, max: Infinity },
      help: 'adds files and folders and pins them\nSeveral paths get a folder around them. A path may be an address (http:// or https://), whose file is fetched here and added.',
      examples: ['add photo.jpg', 'add -r --name photos --metadata album=summer ./photos', 'add --format car export.car', 'add -Q -w --expire-in 48h a.txt b.txt', 'add https://example.com/file.pdf'],
      flags: {
        recursive: { type: 'boolean', aliases: ['r'], help: 'add folders with what is in them' },
        quiet: { type: 'boolean', aliases: ['q'], help: 'print CIDs only' },
        quieter: { type: 'boolean', aliases: ['Q'], help: 'print the last CID only' },
        'no-stream': { type: 'boolean', help: 'print at the end; with --enc=json one array' },
        local: { type: 'boolean', help: 'send the content to the asked peer\'s daemon only; the others that are to hold it fetch it from there' },
        ...factors,
        ...wishes,
        'no-pin': { type: 'boolean', help: 'bring the content to the daemons and pin nothing' },
        wait: { type: 'boolean', help: 'wait until enough peers have pinned it' },
        'wait-timeout': waiting['wait-timeout']!,
        'wrap-with-directory': { type: 'boolean', aliases: ['w'], help: 'put a folder around it' },
        format: { type: 'string', fallback: 'unixfs', words: ['unixfs', 'car'], help: 'unixfs for files, or car for one CAR file' },
        layout: { type: 'string', words: ['balanced', 'trickle'], help: 'balanced or trickle' },
        hidden: { type: 'boolean', aliases: ['H'], help: 'take what begins with a dot as well' },
        chunker: { type: 'string', aliases: ['s'], help: 'size-N, rabin-MIN-AVG-MAX or buzhash' },
        'raw-leaves': { type: 'boolean', help: 'leaves as raw blocks' },
        'cid-version': { type: 'string', kind: 'integer', help: '0 or 1; 1 implies raw leaves' },
        hash: { type: 'string', help: 'the hash function; others than sha2-256 imply version 1' },
        nocopy: { type: 'boolean', help: 'let the daemons refer to an address instead of copying it; peers of this program refuse that' }
      }
    },
    'pin add': {
      usage: '<cid|path>',
      args: { min: 1, max: 1 },
      help: 'pins content in the cluster',
      examples: [`pin add --name greeting ${cid}`, `pin add --wait --wait-timeout 2m /ipns/docs.ipfs.tech`, `pin add -r 2 --metadata owner=alice --expire-in 720h ${cid}`],
      flags: {
        replication: { type: 'string', aliases: ['r'], kind: 'integer', help: 'fewest and most peers at once' },
        ...factors,
        ...wishes,
        mode: { type: 'string', words: ['recursive', 'direct'], help: 'recursive (usually), or direct for the one block' },
        ...status
      }
    },
    'pin rm': { usage: '<cid|path>', args: { min: 1, max: 1 }, help: 'unpins content', flags: status, examples: [`pin rm ${cid}`] },
    'pin update': {
      usage: '<old cid> <new cid|path>',
      args: { min: 2, max: 2 },
      help: 'pins new content with the options of an old pin, whose blocks it shares; the old pin stays',
      flags: { name: wishes['name']!, 'expire-in': wishes['expire-in']!, ...status },
      examples: [`pin update --name v2 ${cid} /ipns/docs.ipfs.tech`]
    },
    'pin ls': { usage: '[cid]', args: { min: 0, max: 1 }, help: 'what should be pinned', flags: { filter: { type: 'string', fallback: 'all', help: 'types of pins, commas between: pin, meta-pin, clusterdag-pin, shard-pin, all' } }, examples: ['pin ls', `--enc json pin ls ${cid}`] },
    'pin why': { usage: '<cid>', args: { min: 1, max: 1 }, help: 'which peers would hold a pin by what is known now, and why', examples: [`pin why ${cid}`] },
    status: {
      usage: '[cid...]',
      args: { min: 0, max: Infinity },
      help: 'where pins stand\nWithout CIDs all pins. Of what nobody pins it says so.',
      flags: { ...local, filter: { type: 'string', help: 'statuses, commas between: pinned, pinning, pin_queued, unpinned, remote, pin_error, unpin_error, cluster_error, …, or error and queued for all such; not with CIDs' } },
      examples: ['status', 'status --filter error,queued', `status ${cid} ${other}`]
    },
    sync: {
      usage: '[cid]',
      args: { min: 0, max: 1 },
      help: 'where a pin stands, or which pins are not as they should be\nOf older documentation. What the daemons hold is compared without it too: status says the same, recover puts it right.',
      flags: local,
      examples: ['sync', `sync ${cid}`]
    },
    recover: { usage: '[cid]', args: { min: 0, max: 1 }, help: 'tries failed pins again', flags: local, examples: ['recover', `recover ${cid}`] },
    version: { help: 'the peer\'s version', examples: ['version'] },
    rebalance: {
      help: 'moves pins to where they would be put now, one at a time\nFor when a peer has come, or one is full. Of each pin another peer first gets a copy, then the one that is worse placed is let off. It ends when it is interrupted (what is under way is put back), goes on when another peer leads, and is refused while a peer is silent, was so lately (within 40 times cluster.monitor_ping_interval, ten minutes usually), or is being drained.',
      flags: { 'dry-run': { type: 'boolean', help: 'move nothing, and tell what would be moved and why' }, rate: { type: 'string', kind: 'integer', help: 'bytes a second at most, on the average; usually 10485760' } },
      examples: ['rebalance --dry-run', 'rebalance --rate 1048576']
    },
    audit: {
      help: 'what the daemons hold otherwise than was agreed on\nmissing: a peer is to hold it, and its daemon does not. unnoted: it is there, and the peer has not noted it. surplus: the peer pinned it, and it is not its to hold any more. stale: a note of what is not there. Each peer looks by itself now and then (cluster.pin_recover_interval) and mends what it finds; what the daemon\'s user pinned is never taken away.',
      flags: {
        ...local,
        foreign: { type: 'boolean', help: 'tell as well of what the daemons\' own users have pinned, at most 10000 of each peer: that is no fault' },
        repair: { type: 'boolean', help: 'mend it at once, as "recover" does, and tell what is being pinned and unpinned for that' }
      },
      examples: ['audit', 'audit --local --foreign', 'audit --repair']
    },
    'health graph': {
      help: 'who is connected with whom, for Graphviz',
      flags: { file: { type: 'string', aliases: ['f'], help: 'into this file, not to the output' }, 'all-ipfs-peers': { type: 'boolean', help: 'draw nodes outside the cluster as well' } },
      examples: ['health graph | dot -T svg > cluster.svg']
    },
    'health metrics': { usage: '[name]', args: { min: 0, max: 1 }, help: 'what the peers measured of themselves; without a name, which metrics there are', examples: ['health metrics', 'health metrics freespace'] },
    'health alerts': { help: 'metrics that were not renewed in time, the newest first', examples: ['health alerts'] },
    'health bandwidth': { help: 'bytes between this peer and the others, by protocol', examples: ['health bandwidth'] },
    'ipfs gc': { help: 'collects garbage on the daemons\nA daemon that fails is told in its place; where all fail it ends with 1.', flags: local, examples: ['ipfs gc', 'ipfs gc --local'] },
    commands: { help: 'all commands, one a line', examples: ['commands'] },
    completion: {
      usage: '<bash|zsh|fish>',
      args: { min: 1, max: 1 },
      help: 'a script that lets a shell complete commands and flags\nbash: source <(ipfs-cluster-ctl completion bash), in ~/.bashrc.\nzsh: source <(ipfs-cluster-ctl completion zsh), in ~/.zshrc after compinit.\nfish: ipfs-cluster-ctl completion fish > ~/.config/fish/completions/ipfs-cluster-ctl.fish.',
      examples: ['completion bash']
    }
  }
}
