import type { Program } from '../args.ts'
import { version } from '../version.ts'

export const program: Program = {
  name: 'ipfs-cluster-service',
  version,
  about: 'runs a peer: one Kubo endpoint that is really a cluster',
  flags: {
    config: { type: 'string', aliases: ['c'], env: 'IPFS_CLUSTER_PATH', fallback: '~/.ipfs-cluster', help: 'the folder of configuration and data' },
    force: { type: 'boolean', aliases: ['f'], help: 'go on where it would be asked first, for example before files are overwritten' },
    debug: { type: 'boolean', aliases: ['d'], help: 'log everything' },
    loglevel: { type: 'string', aliases: ['l'], env: 'IPFS_CLUSTER_LOG_LEVEL', help: 'error, warn, info or debug, usually info, for "state …" warn; others per component: info,restapi:debug' },
    version: { type: 'boolean', aliases: ['v'], help: 'print the version' }
  },
  examples: [
    'init',
    'daemon',
    'daemon --bootstrap /dns4/peer-0.example/tcp/9096',
    '--loglevel info,raft:debug daemon'
  ],
  groups: {
    config: 'what the peer is told to be',
    state: 'the pinset as this peer keeps it'
  },
  commands: {
    init: {
      help: 'writes service.json and identity.json',
      usage: '[http-source-url]',
      args: { min: 0, max: 1 },
      flags: {
        consensus: { type: 'string', help: 'by what the peers agree: raft, or etcd, which is also meant where CLUSTER_ETCD_ENDPOINTS is set' },
        datastore: { type: 'string', help: 'not used: a peer keeps its state in one store of its own' },
        'custom-secret': { type: 'boolean', aliases: ['s'], help: 'read the cluster secret from the input' },
        peers: { type: 'string', help: 'found the cluster together with these peers: multiaddrs with /p2p/ and the id, commas between' },
        randomports: { type: 'boolean', help: 'listen on ports that are free, not on the usual ones' }
      },
      examples: ['init', 'init --peers /ip4/192.0.2.1/tcp/9096/p2p/12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM', 'init https://example.com/service.json']
    },
    daemon: {
      help: 'runs the peer until it is told to stop',
      flags: {
        init: { type: 'boolean', help: 'write what is missing of service.json and identity.json first' },
        upgrade: { type: 'boolean', aliases: ['u'], help: 'changes nothing, as in the Go program: a state of an earlier version is upgraded at each start' },
        bootstrap: { type: 'string', aliases: ['j'], help: 'join the cluster through these peers: multiaddrs, commas between' },
        leave: { type: 'boolean', aliases: ['x'], help: 'leave the cluster when this peer is stopped' },
        stats: { type: 'boolean', help: 'tell numbers to Prometheus, as observations.metrics.enable_stats does' },
        tracing: { type: 'boolean', help: 'refused: there is no tracing here' },
        'no-trust': { type: 'boolean', help: 'changes nothing: no peer is trusted for having been joined through' }
      },
      examples: ['daemon', 'daemon --init', 'daemon --bootstrap /dns4/peer-0.example/tcp/9096 --leave', '--loglevel info,raft:debug daemon']
    },
    'config show': { help: 'prints the settings as they take effect: file, fetched file, variables and defaults; secrets hidden', examples: ['config show', '--config /etc/peer-0 config show'] },
    'config check': { help: 'says whether the configuration is understood, and what in it has no effect', examples: ['config check'] },
    'config convert': {
      help: 'makes a configuration for Raft of one of the Go program for CRDT; the file as it was is kept beside it',
      examples: ['config convert', 'config convert --peers /dns4/peer-0.example/tcp/9096/p2p/12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'],
      flags: { peers: { type: 'string', help: 'the other peers of the cluster: multiaddrs with /p2p/ and the id, commas between' } }
    },
    'state export': {
      help: 'writes the pinset, one JSON object a line, as the Go program does\nOf a peer that runs it is what that peer has at this moment.',
      flags: { file: { type: 'string', aliases: ['f'], help: 'into this file, not to the output; it is there when it is whole' } },
      examples: ['state export --file pins.json', 'state export > pins.json']
    },
    'state import': {
      help: [
        'replaces the pinset by an exported one, read from a file or from the input',
        'All lines are read and understood before anything changes. Of a peer that is stopped the pinset that was there is put aside, and the peer is a',
        'cluster of its own afterwards. Through a peer that runs the change is agreed on by the whole cluster.'
      ].join('\n'),
      usage: '[file]',
      args: { min: 0, max: 1 },
      flags: {
        'replication-min': { type: 'string', aliases: ['rmin'], kind: 'integer', help: 'for all pins that are read; -1 is everywhere' },
        'replication-max': { type: 'string', aliases: ['rmax'], kind: 'integer', help: 'for all pins that are read; -1 is everywhere' },
        allocations: { type: 'string', aliases: ['allocs'], help: 'for all pins that are read: peer ids, commas between' }
      },
      examples: ['state import pins.json', '--force state import --replication-min 2 --replication-max 3 pins.json']
    },
    'state cleanup': {
      help: [
        'begins anew with an empty pinset',
        'Of a peer that is stopped what it has is put aside, and the daemon\'s pins stay. Through a peer that runs all pins leave the pinset of the whole',
        'cluster, and the daemons let go of them.'
      ].join('\n'),
      examples: ['--force state cleanup']
    },
    'state version': { help: 'prints the format of the state, and how many pins it has', examples: ['state version'] },
    'state adopt': { help: 'makes the pins that the daemon has already pins of the cluster (peer stopped; it runs without its doors meanwhile)', examples: ['state adopt'] },
    version: { help: 'prints the version', examples: ['version'] }
  }
}
