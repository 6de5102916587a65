import { KuboRepliedError } from '../cluster/api/errors.ts'
import { kuboCommand } from './command.ts'
import type { KuboCommand } from './command.ts'
import { escapeXml } from './encodings.ts'
import { KuboCommandError } from './kubo-error.ts'
import type { CommandComponents } from './routes.ts'

interface GcResult { readonly [key: string]: { readonly '/': string } | null | string | undefined, readonly Key: { readonly '/': string } | null, readonly Error?: string | undefined }

const streamedErrors = 'encountered errors during gc run'

/** `repo/gc`: every daemon of the cluster collects; their lines come as they are. */
export function repoGc ({ cluster }: CommandComponents): KuboCommand {
  return kuboCommand({
    path: 'repo/gc',
    args: [],
    ignoresCidBase: true,
    options: { 'stream-errors': { type: 'bool' }, quiet: { type: 'bool', aliases: ['q'] }, silent: { type: 'bool' } },
    text ({ Key, Error: error }: GcResult, { quiet, silent }) {
      if (silent === true) return ''
      if (error !== undefined) return `Error: ${error}\n`
      return `${quiet === true ? '' : 'removed '}${Key?.['/'] ?? ''}\n`
    },
    printed: ({ Key, Error: error = '' }: GcResult) => `&{${cidPrinted(Key)} ${error}}`,
    xml: ({ Key, Error: error = '' }: GcResult) => `<GcResult><Key>${cidPrinted(Key)}</Key><Error>${escapeXml(error)}</Error></GcResult>`,
    async run ({ options: { 'stream-errors': streams, silent }, reply, signal }) {
      const errors: string[] = []
      for await (const { key, error } of untilFailure(cluster.repoGc({ signal }), errors)) {
        if (error !== '') {
          errors.push(error)
          if (streams === true) await reply.emit({ Key: null, Error: error })
        } else if (streams === true || silent !== true) {
          await reply.emit({ Key: { '/': key } })
        }
      }
      if (errors.length > 0) throw new KuboCommandError(streams === true ? streamedErrors : errors.join('; '))
    }
  })
}

/** No CID at all is to Go the base prefix of nothing. */
const cidPrinted = (key: GcResult['Key']): string => key?.['/'] ?? 'b'

/** A daemon that has told its errors line by line ends by saying that there were some, which is no further one. */
async function * untilFailure<T> (lines: AsyncIterable<T>, errors: readonly string[]): AsyncGenerator<T, void, undefined> {
  try {
    yield * lines
  } catch (err) {
    if (!(err instanceof KuboRepliedError && err.message === streamedErrors && errors.length > 0)) throw err
  }
}
