import { CID } from 'multiformats/cid'
import { base36 } from 'multiformats/bases/base36'
import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import type { CommandCall } from './command.ts'
import type { DaemonCalls } from './daemon-calls.ts'

/**
 * The CID that an argument of a pin command means: a CID in any base, `/ipfs/…` or `/ipns/…` with a path behind, `ipfs://…`. All but
 * plain CIDs are the daemon's to resolve, with `dag/resolve`, which uses the same resolver and the same words as `pin/*`; of plain ones, too, it says that there is no time left.
 *
 * @throws KuboRepliedError with those words
 */
export async function resolveArgument (daemon: DaemonCalls, argument: string, call: Pick<CommandCall, 'options' | 'patience' | 'timeLeft'>): Promise<CID> {
  const plain = plainCid(argument)
  if (plain !== undefined && call.timeLeft() !== '0ms') return plain
  const query = (arg: string): [string, string][] => {
    const timeout = call.timeLeft()
    return [['arg', arg], ...timeout === undefined ? [] : [['timeout', timeout] as [string, string]]]
  }
  // `dag/resolve` asks the network for names whatever `offline` says; pin/* do not.
  const isOffline = (call.options.offline === true || call.options.local === true) && /^(\/ipns\/|ipns:)/.test(argument)
  const path = isOffline ? await resolveName(daemon, [...query(argument), ['offline', 'true']], call) : argument
  const { Cid } = await daemon.value('dag/resolve', { query: query(path), signal: call.patience }) as { Cid: { '/': string } }
  return CID.parse(Cid['/'])
}

/** @throws KuboRepliedError for an argument that is no path at all, which Kubo sees before it resolves anything: so no time is given for that */
export async function requireReadable (daemon: DaemonCalls, argument: string, { patience }: Pick<CommandCall, 'patience'>): Promise<void> {
  if (plainCid(argument) !== undefined) return
  try {
    await daemon.value('dag/resolve', { query: [['arg', argument], ['timeout', '1ns']], signal: patience })
  } catch (err) {
    if (!(err instanceof KuboRepliedError) || err.message.startsWith('invalid path ')) throw err
  }
}

async function resolveName (daemon: DaemonCalls, query: readonly [string, string][], { patience }: Pick<CommandCall, 'patience'>): Promise<string> {
  return (await daemon.value('resolve', { query, signal: patience }) as { Path: string }).Path
}

/** What is nothing but a CID in a usual base and of a usual length; resolving that asks nobody, in Kubo too. */
export function plainCid (argument: string): CID | undefined {
  if (argument.length > 128) return undefined
  try {
    if (argument.startsWith('Qm') && argument.length === 46) return CID.parse(argument)
    const base = argument.startsWith('b') ? base32 : argument.startsWith('k') ? base36 : argument.startsWith('z') ? base58btc : undefined
    const cid = base === undefined ? undefined : CID.parse(argument, base as typeof base32)
    // Other spellings of the same bytes exist (padding, case); the daemon judges those.
    return cid?.version === 1 && cid.toString(base as typeof base32) === argument ? cid : undefined
  } catch {
    return undefined
  }
}
