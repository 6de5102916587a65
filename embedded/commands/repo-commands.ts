import { parseGoDurationMs } from '../../cluster/api/kubo/go-values.ts'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { CID } from 'multiformats/cid'
import { decode } from 'multiformats/hashes/digest'
import { markKept, sweep } from '../collecting.ts'
import { printCid } from '../dag/cid-print.ts'
import { codes } from '../dag/codecs.ts'
import { rehash } from '../dag/hashes.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { repoVersion } from './node-commands.ts'

export function repoCommands (node: EmbeddedNode): readonly Command[] {
  return [...['repo/stat', 'stats/repo'].map(path => repoStat(node, path)), repoGc(node), repoVerify(node), repoVersionCommand(), ...['refs/local', 'repo/ls'].map(path => refsLocal(node, path))]
}

function repoStat ({ stores, storageMaxBytes }: EmbeddedNode, path: string): Command {
  return command({
    path,
    args: [],
    options: { 'size-only': { type: 'bool', aliases: ['s'] }, human: { type: 'bool', aliases: ['H'] } },
    run ({ options: { 'size-only': sizeOnly = false } }) {
      const size = { RepoSize: BigInt(stores.sizeBytes()), StorageMax: storageMaxBytes }
      if (sizeOnly) return { kind: 'one', value: line({ ...size, NumObjects: 0, RepoPath: '', Version: '' }, `RepoSize:   ${size.RepoSize}\nStorageMax: ${size.StorageMax}\n`) }
      const json = { ...size, NumObjects: stores.blocks.count(), RepoPath: stores.path, Version: `fs-repo@${repoVersion}` }
      const text = `NumObjects: ${json.NumObjects}\nRepoSize:   ${size.RepoSize}\nStorageMax: ${size.StorageMax}\nRepoPath:   ${json.RepoPath}\nVersion:    ${json.Version}\n`
      return { kind: 'one', value: line(json, text) }
    }
  })
}

function repoGc (node: EmbeddedNode): Command {
  return command({
    path: 'repo/gc',
    args: [],
    options: { 'stream-errors': { type: 'bool', fallback: false }, quiet: { type: 'bool', aliases: ['q'], fallback: false }, silent: { type: 'bool', fallback: false } },
    run (call) {
      const { 'stream-errors': streamErrors, quiet, silent } = call.options
      return { kind: 'many', values: collect(node, call, { streamErrors, quiet, silent: silent && !streamErrors }) }
    }
  })
}

const aborted = 'garbage collection aborted: could not retrieve some links'

async function * collect (node: EmbeddedNode, call: Call, { streamErrors, quiet, silent }: { streamErrors: boolean, quiet: boolean, silent: boolean }): AsyncGenerator<Emitted> {
  using _lock = await node.lock.forCollecting(call)
  const { kept, failures } = await markKept(node, call)
  if (failures.length > 0) {
    if (!streamErrors) throw new KuboError([...failures, aborted].join('; '))
    for (const failure of [...failures, aborted]) yield line({ Key: null, Error: failure })
    throw new KuboError('encountered errors during gc run')
  }
  for await (const gone of sweep(node.stores, kept, call)) {
    if (silent) continue
    for (const multihash of gone) {
      const cid = printCid(rawCid(multihash))
      yield line({ Key: { '/': cid } }, quiet ? `${cid}\n` : `removed ${cid}\n`)
    }
  }
}

function repoVerify ({ stores }: EmbeddedNode): Command {
  return command({
    path: 'repo/verify',
    args: [],
    options: { drop: { type: 'bool' }, heal: { type: 'bool' }, 'heal-timeout': { type: 'string', fallback: '30s' } },
    run ({ options: { drop = false, heal = false, 'heal-timeout': limit }, signal }) {
      if (parseGoDurationMs(limit) === undefined) throw new KuboError(`invalid heal-timeout: time: invalid duration ${quoteGo(limit)}`)
      return { kind: 'many', values: verify(stores, signal, drop || heal) }
    }
  })
}

async function * verify ({ blocks }: EmbeddedNode['stores'], signal: AbortSignal, drop: boolean): AsyncGenerator<Emitted> {
  let bad = 0
  let progress = 0
  for (const multihash of blocks.multihashes()) {
    signal.throwIfAborted()
    const cid = rawCid(multihash)
    const bytes = blocks.get(multihash)
    if (bytes === undefined || rehash(cid, bytes)?.equals(cid) !== true) {
      bad++
      if (drop) await blocks.delete(multihash)
      yield line({ Msg: `block ${cid.toString()} was corrupt${drop ? ' (removed)' : ''}`, Progress: 0 }, `block ${cid.toString()} was corrupt\n`)
    }
    progress++
    yield line({ Msg: '', Progress: progress }, `${progress} blocks processed.\r`)
  }
  if (bad > 0) throw new KuboError('verify complete, some blocks were corrupt')
  yield line({ Msg: 'verify complete, all blocks validated.', Progress: 0 }, 'verify complete, all blocks validated.\n')
}

function repoVersionCommand (): Command {
  return command({
    path: 'repo/version',
    args: [],
    options: { quiet: { type: 'bool', aliases: ['q'] } },
    run: ({ options: { quiet = false } }) => ({ kind: 'one', value: line({ Version: repoVersion }, quiet ? `fs-repo@${repoVersion}\n` : `ipfs repo version fs-repo@${repoVersion}\n`) })
  })
}

function refsLocal ({ stores }: EmbeddedNode, path: string): Command {
  return command({
    path,
    args: [],
    options: {},
    run: call => ({ kind: 'many', values: listBlocks(stores, call) })
  })
}

async function * listBlocks ({ blocks }: EmbeddedNode['stores'], call: Call): AsyncGenerator<Emitted> {
  for (const multihash of blocks.multihashes()) {
    call.signal.throwIfAborted()
    const cid = call.showCid(rawCid(multihash))
    yield line({ Ref: cid, Err: '' }, `${cid}\n`)
  }
}

/** The store knows no codecs, so Kubo lists blocks as raw ones. */
function rawCid (multihash: Uint8Array): CID {
  return CID.createV1(codes.raw, decode(multihash))
}
