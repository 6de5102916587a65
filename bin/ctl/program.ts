import type { Flags, Program } from '../args.ts'
import { version } from '../version.ts'

const waiting: Flags = {
  wait: { type: 'boolean', aliases: ['w'], help: 'wait until enough peers have reached the status' },
  'wait-limit': { type: 'string', aliases: ['wl'], help: 'how many peers are enough' },
  'wait-timeout': { type: 'string', aliases: ['wt'], help: 'how long to wait, like 30s (default: without end)' }
}
const status: Flags = {
  'no-status': { type: 'boolean', aliases: ['ns'], help: 'do not ask for the status afterwards' },
  ...waiting
}
const factors: Flags = {
  'replication-min': { type: 'string', aliases: ['rmin'], help: 'fewest peers that hold it; -1 is everywhere, 0 as configured' },
  'replication-max': { type: 'string', aliases: ['rmax'], help: 'most peers that hold it; -1 is everywhere, 0 as configured' }
}
const wishes: Flags = {
  allocations: { type: 'string', aliases: ['allocs'], help: 'peer ids that should hold it if they can, commas between' },
  name: { type: 'string', aliases: ['n'], help: 'a name for the pin' },
  'expire-in': { type: 'string', help: 'how long until it is unpinned, like 48h' },
  metadata: { type: 'string', multiple: true, help: 'key=value, may be given several times' }
}

export const program: Program = {
  name: 'ipfs-cluster-ctl',
  version,
  about: 'asks a cluster peer over its REST API',
  flags: {
    host: { type: 'string', aliases: ['l'], fallback: '/ip4/127.0.0.1/tcp/9094', help: 'where the API is: multiaddrs, commas between, tried in turn' },
    https: { type: 'boolean', aliases: ['s'], help: 'speak TLS' },
    'no-check-certificate': { type: 'boolean', help: 'with --https: take any certificate' },
    encoding: { type: 'string', aliases: ['enc'], fallback: 'text', help: 'text or json' },
    timeout: { type: 'string', aliases: ['t'], fallback: '0', help: 'seconds until a request is given up; 0 is never' },
    debug: { type: 'boolean', aliases: ['d'], help: 'tell each request on the error output' },
    'basic-auth': { type: 'string', env: 'CLUSTER_CREDENTIALS', help: 'user:password; implies --https unless --force-http' },
    'force-http': { type: 'boolean', aliases: ['f'], help: 'send the password without TLS' },
    version: { type: 'boolean', aliases: ['v'], help: 'print the version of this program' }
  },
  commands: {
    id: { help: 'who the peer is, where it listens, which daemon it has' },
    version: { help: 'the peer\'s version' },
    'peers ls': { help: 'the peers of the cluster' },
    'peers rm': { usage: '<peer id>', args: { min: 1, max: 1 }, help: 'takes a peer out of the cluster, dead or alive; one that runs stops' },
    add: {
      usage: '<path>...',
      args: { min: 1, max: Infinity },
      help: 'adds files and folders and pins them',
      flags: {
        recursive: { type: 'boolean', aliases: ['r'], help: 'add folders with what is in them' },
        quiet: { type: 'boolean', aliases: ['q'], help: 'print CIDs only' },
        quieter: { type: 'boolean', aliases: ['Q'], help: 'print the last CID only' },
        'no-stream': { type: 'boolean', help: 'print at the end; with --enc=json one array' },
        ...factors,
        ...wishes,
        wait: waiting['wait']!,
        'wait-timeout': waiting['wait-timeout']!,
        'wrap-with-directory': { type: 'boolean', aliases: ['w'], help: 'put a folder around it' },
        format: { type: 'string', fallback: 'unixfs', help: 'unixfs, or car for one CAR file' },
        layout: { type: 'string', help: 'balanced or trickle' },
        hidden: { type: 'boolean', aliases: ['H'], help: 'take what begins with a dot as well' },
        chunker: { type: 'string', aliases: ['s'], help: 'size-N, rabin-MIN-AVG-MAX or buzhash' },
        'raw-leaves': { type: 'boolean', help: 'leaves as raw blocks' },
        'cid-version': { type: 'string', help: '0 or 1; 1 implies raw leaves' },
        hash: { type: 'string', help: 'the hash function; others than sha2-256 imply version 1' }
      }
    },
    'pin add': {
      usage: '<cid|path>',
      args: { min: 1, max: 1 },
      help: 'pins content in the cluster',
      flags: {
        replication: { type: 'string', aliases: ['r'], help: 'fewest and most peers at once' },
        ...factors,
        ...wishes,
        mode: { type: 'string', help: 'recursive or direct' },
        ...status
      }
    },
    'pin rm': { usage: '<cid|path>', args: { min: 1, max: 1 }, help: 'unpins content', flags: status },
    'pin update': {
      usage: '<old> <new>',
      args: { min: 2, max: 2 },
      help: 'pins new content with the options of an old pin, whose blocks it shares; the old pin stays',
      flags: { name: wishes['name']!, 'expire-in': wishes['expire-in']!, ...status }
    },
    'pin ls': { usage: '[cid]', args: { min: 0, max: 1 }, help: 'what should be pinned', flags: { filter: { type: 'string', help: 'types of pins: pin, meta-pin, clusterdag-pin, shard-pin, all' } } },
    'pin why': { usage: '<cid>', args: { min: 1, max: 1 }, help: 'which peers would hold a pin by what is known now, and why' },
    status: {
      usage: '[cid...]',
      args: { min: 0, max: Infinity },
      help: 'where pins stand',
      flags: { local: { type: 'boolean', help: 'on the asked peer only' }, filter: { type: 'string', help: 'status words, commas between: pinned, pinning, error, queued, …' } }
    },
    recover: { usage: '[cid]', args: { min: 0, max: 1 }, help: 'tries failed pins again', flags: { local: { type: 'boolean', help: 'on the asked peer only' } } },
    'health graph': {
      help: 'who is connected with whom, for Graphviz',
      flags: { file: { type: 'string', aliases: ['f'], help: 'into this file, not to the output' }, 'all-ipfs-peers': { type: 'boolean', help: 'draw nodes outside the cluster as well' } }
    },
    'health metrics': { usage: '[name]', args: { min: 0, max: 1 }, help: 'what the peers measured of themselves; without a name, which metrics there are' },
    'health alerts': { help: 'metrics that were not renewed in time, the newest first' },
    'ipfs gc': { help: 'collects garbage on the daemons', flags: { local: { type: 'boolean', help: 'on the asked peer only' } } }
  }
}
