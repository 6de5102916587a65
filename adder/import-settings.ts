import { KuboRepliedError } from '../cluster/api/errors.ts'
import type { Clock } from '../cluster/clock.ts'
import type { AbortOptions, AddingDaemon } from '../cluster/ports.ts'
import type { ImportSettings } from './params.ts'

/** A change of the daemon's configuration counts for adds that begin so much later. */
const ttlMs = 5_000

/** Asks the daemon for its `Import` settings, not more often than every few seconds. Undefined when it does not say: then only it knows how to add. */
export function createImportSettings (daemon: AddingDaemon, clock: Clock): (options: AbortOptions) => Promise<ImportSettings | undefined> {
  let known: { readonly settings: ImportSettings | undefined, readonly untilMs: number } | undefined
  return async options => {
    if (known !== undefined && clock.now() < known.untilMs) return known.settings
    const settings = await ask(daemon, options)
    known = { settings, untilMs: clock.now() + ttlMs }
    return settings
  }
}

async function ask (daemon: AddingDaemon, options: AbortOptions): Promise<ImportSettings | undefined> {
  try {
    return await daemon.importSettings(options)
  } catch (err) {
    if (err instanceof KuboRepliedError) return undefined
    throw err
  }
}
