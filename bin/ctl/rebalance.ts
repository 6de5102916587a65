import type { CommandContext } from './commands.ts'
import { sizeText } from './humanized.ts'
import { moveText } from './print.ts'

interface Moved { readonly state: string, readonly bytes: number | null }

/** Has pins moved to where they would be put now, or only told; ends when it is interrupted. */
export async function rebalance ({ client, flags, show }: CommandContext): Promise<void> {
  const rate = flags.text('rate')
  const query = new URLSearchParams({ 'dry-run': String(flags.is('dry-run')), ...rate !== undefined && { rate } })
  let [pins, bytes] = [0, 0]
  for await (const line of client.lines('POST', `/rebalance?${query}`)) {
    const moved = line as Moved
    if (moved.state !== 'left') {
      pins++
      bytes += moved.bytes ?? 0
    }
    show(line, moveText)
  }
  if (flags.text('encoding') !== 'json') show(undefined, () => `${pins} pins${pins === 0 ? '' : `, ${sizeText(bytes)} as far as is known,`} ${flags.is('dry-run') ? 'would be moved' : 'were moved'}\n`)
}
