import type { CommandContext } from './commands.ts'
import { driftText, infoText } from './print.ts'

/** What the daemons hold otherwise than was agreed on; with `--repair` it is mended afterwards. Where there is nothing to tell, text says so. */
export async function audit ({ client, flags, show }: CommandContext): Promise<void> {
  const local = String(flags.is('local'))
  let found = 0
  for await (const drift of client.lines('GET', `/audit?${new URLSearchParams({ local, foreign: String(flags.is('foreign')) })}`)) {
    found++
    show(drift, driftText)
  }
  if (found === 0 && flags.text('encoding') !== 'json') show(undefined, () => 'What was agreed on is what the daemons hold.\n')
  if (!flags.is('repair')) return
  for await (const info of client.lines('POST', `/pins/recover?local=${local}`)) show(info, infoText)
}
