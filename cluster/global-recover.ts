import type { GlobalPinInfo, PinInfo } from './api/pin-info.ts'
import { globalPinInfo } from './global-status.ts'
import { linesOfAll } from './lines-of-all.ts'
import type { LinesComponents } from './lines-of-all.ts'
import type { AbortOptions, PinsetReader } from './ports.ts'

export interface GlobalRecoverComponents extends Omit<LinesComponents<PinInfo>, 'words'> {
  readonly state: PinsetReader
}

/**
 * Has all members recover what they can, at the same time: a line for each pin that a peer has queued, as they come.
 *
 * @throws as `linesOfAll`
 */
export async function * recoverOnAll ({ state, ...components }: GlobalRecoverComponents, options: AbortOptions): AsyncGenerator<GlobalPinInfo, void, undefined> {
  const words = { what: 'recovering', failed: 'not all peers could recover their pins' }
  for await (const info of linesOfAll({ ...components, words }, options)) yield globalPinInfo(info.cid, (await state.get(info.cid))?.pin, [info])
}
