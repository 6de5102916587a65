import { once } from 'node:events'
import { open, rename } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { stateFormat } from '../../../cluster/state/peer-store.ts'
import type { StateEvent } from './verbs.ts'

const writeCharacters = 64 << 10

/** What is not the answer itself. */
export const say = (line: string): void => { process.stderr.write(`${line}\n`) }

/** How far it is to the error output, how it ended to the output. */
export async function printOutcome (events: AsyncIterable<StateEvent>): Promise<void> {
  for await (const event of events) {
    if ('progress' in event) say(event.progress)
    if ('done' in event) process.stdout.write(`${event.done}\n`)
  }
}

/** Pins to a file, or to the output as fast as it takes them. A file is there when it is whole, and only for its owner. */
export async function writeExport (events: AsyncIterable<StateEvent>, path: string | undefined): Promise<void> {
  if (path === undefined) return await writePins(events, undefined)
  const aside = `${path}.new`
  {
    await using file = await open(aside, 'w', 0o600)
    await writePins(events, file)
    await file.sync()
  }
  await rename(aside, path)
}

async function writePins (events: AsyncIterable<StateEvent>, file: FileHandle | undefined): Promise<void> {
  let text = ''
  const flush = async (): Promise<void> => {
    if (file !== undefined) await file.writeFile(text)
    else if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    text = ''
  }
  for await (const event of events) {
    if ('pin' in event) text += `${JSON.stringify(event.pin)}\n`
    if ('done' in event || text.length >= writeCharacters) await flush()
    if ('done' in event) say(event.done)
  }
}

/** @param format undefined where there is no state */
export function printVersion (format: number | undefined, pins: number | undefined): void {
  const newness = format === undefined || format === stateFormat ? '' : format < stateFormat ? ` (upgraded to ${stateFormat} at the next start)` : ' (of a newer version than this program)'
  process.stdout.write(`state format: ${format ?? 'none yet'}${newness}\n${pins === undefined ? '' : `pins: ${pins}\n`}`)
}
