import { ClusterError, KuboRepliedError } from '../cluster/api/errors.ts'
import type { AbortOptions } from '../cluster/ports.ts'
import type { GoValue } from '../cluster/api/kubo/go-json.ts'
import type { ClientSink } from './client-sink.ts'
import type { CommandCall, CommandReply, KuboCommand } from './command.ts'
import { contentTypes, encodeError, encodeValue, errorContentTypes } from './encodings.ts'
import type { Encoding } from './encodings.ts'
import type { HeadKind } from './command-head.ts'
import { messageOf, toKuboError } from './kubo-error.ts'

export interface ReplyParts extends AbortOptions {
  readonly command: KuboCommand
  readonly encoding: Encoding
  readonly options: CommandCall['options']
  readonly sink: ClientSink
  /** Waits until it is known whether the request's body has been read to its end; to be asked before `head`. */
  bodySettled (): Promise<void>
  /** The head for this kind of answer, as things stand when it goes out. */
  head (kind: HeadKind, contentType: string): readonly string[]
}

/** A command's reply, and its two ends: well, or with an error as body or trailer, whichever is still possible; what fails in the cluster ends the connection instead of in a trailer. */
export interface OpenReply extends CommandReply {
  end (): Promise<void>
  fail (err: unknown): Promise<void>
}

export function openReply ({ command, encoding, options, sink, bodySettled, head, signal }: ReplyParts): OpenReply {
  let started = false
  const begin = async (kind: 'single' | 'stream'): Promise<void> => {
    if (started) return
    started = true
    await bodySettled()
    sink.head(200, head(kind, contentTypes[encoding]))
  }
  const send = async (kind: 'single' | 'stream', value: GoValue): Promise<void> => {
    await begin(kind) // before the value is encoded: an encoder that fails does so after the head, as in Kubo
    await sink.write(encodeValue(command, encoding, value, options), { signal })
  }
  return {
    get started () { return started },
    once: value => send('single', value),
    emit: value => send('stream', value),
    async end () {
      await begin('stream')
      sink.end()
    },
    async fail (err) {
      const { status, body } = toKuboError(err)
      if (started && isOfTheCluster(err)) {
        // Kubo has no such failures. JavaScript sees no trailers, and must not take what came for all there is; the CLI finds the error in the body.
        await sink.write(encodeError(encoding, body), { signal: new AbortController().signal })
        sink.breakOff()
        return
      }
      if (started) {
        sink.end(['X-Stream-Error', trailerValue(messageOf(err))])
        return
      }
      started = true
      await bodySettled()
      sink.head(status, head('error', errorContentTypes[encoding]))
      await sink.write(encodeError(encoding, body), { signal: new AbortController().signal })
      sink.end()
    }
  }
}

const isOfTheCluster = (err: unknown): boolean => err instanceof ClusterError && !(err instanceof KuboRepliedError)

/** One line, as Go makes it; UTF-8 bytes one character each, since that is how node writes them unchanged. */
function trailerValue (text: string): string {
  return Buffer.from(text.replace(/[\r\n]/g, ' ').trim(), 'utf8').toString('latin1').replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')
}
