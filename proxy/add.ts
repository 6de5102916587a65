import type { CID } from 'multiformats/cid'
import { noEntryMetadata } from '../adder/entries.ts'
import type { AddedOutput } from '../adder/output.ts'
import { addOptions } from '../cluster/api/kubo/add-options.ts'
import type { PinWait } from '../cluster/ports.ts'
import { fileArgument, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import { escapeXml } from './encodings.ts'
import { provideAsAsked } from './fast-provide.ts'
import { checkPinName } from './pin-name.ts'
import type { CommandComponents } from './routes.ts'
import { uploadedEntries } from './upload.ts'

/** A line of `add`, keys in Kubo's order. */
interface AddEvent {
  readonly [key: string]: string | number | bigint | undefined
  readonly Name: string
  readonly Hash?: string | undefined
  readonly Bytes?: number | undefined
  readonly Size?: string | undefined
  readonly Mode?: string | undefined
  readonly Mtime?: bigint | undefined
  readonly MtimeNsecs?: number | undefined
}

/**
 * `add`: each top-level entry a pin of the cluster's. What is only hashed, not pinned, or only referred to stays the daemon's.
 * A root's line comes when its pin is held as `pin_wait` says; Kubo's comes before it has tried.
 */
export function add (components: CommandComponents, { pinWait }: { readonly pinWait: PinWait }): KuboCommand {
  const { adder, clock } = components
  return kuboCommand({
    path: 'add',
    args: [fileArgument('path', 'required', 'variadic', 'stdin')],
    options: addOptions,
    isOurs: options => options.pin && options['only-hash'] !== true && options.nocopy !== true,
    printed: ({ Name, Hash = '', Bytes = 0, Size = '', Mode = '', Mtime = 0n, MtimeNsecs = 0 }: AddEvent) =>
      `&{${Name} ${Hash} %!s(int64=${Bytes}) ${Size} ${Mode} %!s(int64=${Mtime}) %!s(int=${MtimeNsecs})}`,
    xml: ({ Name, Hash = '', Bytes = 0, Size = '', Mode = '', Mtime = 0n, MtimeNsecs = 0 }: AddEvent) =>
      `<AddEvent><Name>${escapeXml(Name)}</Name><Hash>${Hash}</Hash><Bytes>${Bytes}</Bytes><Size>${Size}</Size><Mode>${Mode}</Mode><Mtime>${Mtime}</Mtime><MtimeNsecs>${MtimeNsecs}</MtimeNsecs></AddEvent>`,
    async run (call) {
      checkPinName(call.options['pin-name'] ?? '')
      let lastRoot: CID | undefined
      for await (const output of adder.add(uploadedEntries(call, clock), { options: call.options, wait: pinWait }, { signal: call.signal })) {
        if (output.kind === 'pinned') lastRoot = output.cid
        else await call.reply.emit(eventOf(output, call))
      }
      if (lastRoot !== undefined) await provideAsAsked(lastRoot, call, components)
    }
  })
}

function eventOf (output: Exclude<AddedOutput, { kind: 'pinned' }>, { cidText }: Pick<CommandCall, 'cidText'>): AddEvent {
  const { mode, mtime } = output.metadata
  const made = output.kind === 'added' ? { Hash: cidText(output.cid), Bytes: undefined, Size: String(output.size) } : { Hash: undefined, Bytes: output.bytes || undefined, Size: undefined }
  if (output.metadata === noEntryMetadata) return { Name: output.name, ...made }
  return { Name: output.name, ...made, Mode: mode === 0 ? undefined : `0${mode.toString(8)}`, Mtime: mtime?.secs || undefined, MtimeNsecs: mtime?.nsecs || undefined }
}
