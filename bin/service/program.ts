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
    loglevel: { type: 'string', aliases: ['l'], env: 'IPFS_CLUSTER_LOG_LEVEL', fallback: 'info', help: 'error, warn, info or debug; others per component: info,restapi:debug' },
    version: { type: 'boolean', aliases: ['v'], help: 'print the version' }
  },
  commands: {
    init: {
      help: 'writes service.json and identity.json',
      usage: '[http-source-url]',
      args: { min: 0, max: 1 },
      flags: {
        consensus: { type: 'string', fallback: 'raft', help: 'raft' },
        datastore: { type: 'string', help: 'not used: a peer keeps its state in one store of its own' },
        'custom-secret': { type: 'boolean', aliases: ['s'], help: 'read the cluster secret from the input' },
        peers: { type: 'string', help: 'found the cluster together with these peers: multiaddrs with /p2p/ and the id, commas between' },
        randomports: { type: 'boolean', help: 'listen on ports that are free, not on the usual ones' }
      }
    },
    daemon: {
      help: 'runs the peer until it is told to stop',
      flags: {
        init: { type: 'boolean', help: 'write what is missing of service.json and identity.json first' },
        upgrade: { type: 'boolean', aliases: ['u'], help: 'changes nothing, as in the Go program: a state of an earlier version is upgraded at each start' },
        bootstrap: { type: 'string', aliases: ['j'], help: 'join the cluster through these peers: multiaddrs, commas between' },
        leave: { type: 'boolean', aliases: ['x'], help: 'leave the cluster when this peer is stopped' },
        stats: { type: 'boolean', help: 'not supported by this version' },
        tracing: { type: 'boolean', help: 'not supported by this version' },
        'no-trust': { type: 'boolean', help: 'not supported: it is about CRDT consensus' }
      }
    },
    'config show': { help: 'prints the settings as they take effect: file, fetched file, variables and defaults; secrets hidden' },
    'config check': { help: 'says whether the configuration is understood, and what in it has no effect' },
    'config convert': {
      help: 'makes a configuration for Raft of one of the Go program for CRDT; the file as it was is kept beside it',
      flags: { peers: { type: 'string', help: 'the other peers of the cluster: multiaddrs with /p2p/ and the id, commas between' } }
    },
    'state adopt': { help: 'makes the pins that the daemon has already pins of the cluster (peer stopped; it runs without its doors meanwhile)' },
    'state export': { help: 'writes the pinset, one JSON object a line (peer stopped)', flags: { file: { type: 'string', aliases: ['f'], help: 'into this file, not to the output' } } },
    'state import': {
      help: 'replaces the pinset by an exported one, read from a file or from the input (peer stopped)',
      usage: '[file]',
      args: { min: 0, max: 1 },
      flags: {
        'replication-min': { type: 'string', aliases: ['rmin'], help: 'for all pins that are read' },
        'replication-max': { type: 'string', aliases: ['rmax'], help: 'for all pins that are read' },
        allocations: { type: 'string', aliases: ['allocs'], help: 'for all pins that are read: peer ids, commas between' }
      }
    },
    'state cleanup': { help: 'puts the pinset aside and starts with an empty one (peer stopped); the daemon\'s pins stay' },
    version: { help: 'prints the version' }
  }
}
