import type { CID } from 'multiformats/cid'
import { isAllocatedTo } from '../cluster/api/pin.ts'
import type { CommandCall } from './command.ts'
import type { CommandComponents } from './routes.ts'

/** How a pin is announced to the network at once. Without a word of the caller's the daemon does as its configuration says. */
export const fastProvideOptions = {
  'fast-provide-root': { type: 'bool' },
  'fast-provide-dag': { type: 'bool' },
  'fast-provide-wait': { type: 'bool' }
} as const

export type FastProvide = { readonly [K in keyof typeof fastProvideOptions]: boolean | undefined }

/**
 * The cluster pins with the daemon's own settings, less what the caller does not want. One that asks for more gets it from a second `pin/add` of what is
 * now pinned, which changes nothing but announces as asked.
 */
export async function provideAsAsked (cid: CID, { options, signal }: Pick<CommandCall<FastProvide>, 'options' | 'signal'>, { cluster, daemon }: CommandComponents): Promise<void> {
  const asked = Object.keys(fastProvideOptions).flatMap(name => {
    const value = options[name as keyof FastProvide]
    return value === undefined ? [] : [[name, String(value)] as [string, string]]
  })
  if (!asked.some(([, value]) => value === 'true')) return
  const entry = await cluster.state.get(cid)
  if (entry === undefined || !isAllocatedTo(entry.pin, cluster.self)) return
  const { mode, name } = entry.pin
  await daemon.value('pin/add', { query: [['arg', cid.toString()], ['recursive', String(mode === 'recursive')], ...name === '' ? [] : [['name', name] as [string, string]], ...asked], signal })
}
