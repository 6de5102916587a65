import { convertCrdt } from '../../cluster/config/crdt.ts'
import { showSection } from '../../cluster/config/secrets.ts'
import type { Environment, Section } from '../../cluster/config/section.ts'
import { readServiceJson, treeOf } from '../../cluster/config/service-json.ts'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { freeName, textOf, writePrivately } from './files.ts'
import { readFolder } from './folder.ts'
import type { PeerFolder } from './folder.ts'
import { peersIn } from './init.ts'
import { sections } from './sections.ts'

export interface ConfigCall { readonly flags: Values, readonly env: Environment }

/** `config …`: what the peer would be started with. Changes nothing but what `convert` says. */
export async function runConfig (command: string, folder: PeerFolder, call: ConfigCall): Promise<void> {
  if (command === 'config convert') return await convert(folder, call)
  const { configs, identity, warnings } = await readFolder(folder, call.env)
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  if (command === 'config check') {
    process.stdout.write(`${folder.serviceJson} and ${folder.identityJson} are understood: peer ${identity.id}, ${configs.cluster.peername}\n`)
    return
  }
  const shown = Object.entries(sections).map(([name, section]) => [section.path, showSection(section as Section, configs[name as keyof typeof sections])] as const)
  process.stdout.write(`${JSON.stringify({ id: identity.id, ...treeOf(shown) }, null, 2)}\n`)
}

async function convert (folder: PeerFolder, { flags }: ConfigCall): Promise<void> {
  const json = await textOf(folder.serviceJson)
  if (json === undefined) throw new UsageError(`there is no ${folder.serviceJson}`)
  const { CLUSTER_RAFT_INITPEERSET: ids, CLUSTER_PEERADDRESSES: addresses } = peersIn(flags.text('peers'))
  const converted = convertCrdt(json, {
    raft: ids === undefined ? {} : { init_peerset: ids.split(',') },
    cluster: addresses === undefined ? {} : { peer_addresses: addresses.split(',') }
  })
  if (converted === undefined) throw new UsageError(`${folder.serviceJson} has no consensus.crdt: there is nothing to convert`)
  readServiceJson(converted.json, sections, {})

  const kept = await freeName(`${folder.serviceJson}.crdt`)
  await writePrivately(kept, json)
  await writePrivately(folder.serviceJson, converted.json)
  for (const change of converted.changes) process.stdout.write(`${change}\n`)
  process.stdout.write(`wrote ${folder.serviceJson}; as it was it is in ${kept}\n`)
  process.stdout.write('The pins come along by "state export" of the Go program and "state import" of this one: docs/migrate-from-go.md\n')
}
