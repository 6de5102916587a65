import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { CID } from 'multiformats/cid'
import { committable } from '../cluster/async/caller-left.ts'
import { joinSignals } from '../cluster/async/join-signals.ts'
import { cidTextFor } from '../cluster/api/kubo/cid-text.ts'
import type { GoValue } from '../cluster/api/kubo/go-json.ts'
import type { OptionTable } from '../cluster/api/kubo/request.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import { fileArgument, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import type { QueryPairs } from './daemon-calls.ts'
import { KuboCommandError } from './kubo-error.ts'
import type { CommandComponents } from './routes.ts'
import { uploadedFiles } from './upload.ts'

/** What is put is held in memory, because the daemon gets it twice. Kubo itself warns above 2 MiB. */
const heldBytesMax = 64 << 20

const blockPutOptions = {
  'cid-codec': { type: 'string', fallback: 'raw' },
  mhtype: { type: 'string' },
  mhlen: { type: 'int', fallback: -1 },
  pin: { type: 'bool', fallback: false },
  'allow-big-block': { type: 'bool', fallback: false },
  format: { type: 'string', aliases: ['f'] }
} as const satisfies OptionTable

const dagPutOptions = {
  'store-codec': { type: 'string', fallback: 'dag-cbor' },
  'input-codec': { type: 'string', fallback: 'dag-json' },
  pin: { type: 'bool' },
  hash: { type: 'string' },
  'allow-big-block': { type: 'bool', fallback: false }
} as const satisfies OptionTable

type BlockLine = { readonly Key: string, readonly Size: number }
type DagLine = { readonly Cid: { readonly '/': string } }

/** `block/put` with `pin`: each part becomes a block and a pin of the cluster's, answered as it goes. */
export function blockPut (components: CommandComponents): KuboCommand {
  return kuboCommand({
    path: 'block/put',
    args: [fileArgument('data', 'required', 'variadic', 'stdin')],
    options: blockPutOptions,
    isOurs: ({ pin }) => pin,
    text: ({ Key }: BlockLine) => `${Key}\n`,
    printed: ({ Key, Size }: BlockLine) => `Key: ${Key}\nSize: ${Size}\n`, // BlockStat has a String of its own
    xml: ({ Key, Size }: BlockLine) => `<BlockStat><Key>${Key}</Key><Size>${Size}</Size></BlockStat>`,
    async run (call) {
      await assertAccepted('block/put', call, components)
      for await (const content of uploadedFiles(call, components.clock, 'expected a file')) {
        const bytes = await held(content, heldBytesMax)
        const { Key, Size } = await put<BlockLine>('block/put', bytes, call, components)
        const cid = CID.parse(Key)
        await pinPut('block/put', cid, bytes, call, components)
        await call.reply.emit({ Key: call.cidText(cid), Size })
      }
    }
  })
}

/** `dag/put` with `pin`: nothing is pinned unless all parts are good. Kubo's lines come before it pins; here they wait for the pins. */
export function dagPut (components: CommandComponents): KuboCommand {
  return kuboCommand({
    path: 'dag/put',
    args: [fileArgument('object data', 'required', 'variadic', 'stdin')],
    options: dagPutOptions,
    ignoresCidBase: true,
    isOurs: ({ pin }) => pin === true,
    text: ({ Cid }: DagLine, options) => `${cidTextFor(options)(CID.parse(Cid['/']))}\n`,
    printed: ({ Cid }: DagLine) => `&{${Cid['/']}}`,
    xml: ({ Cid }: DagLine) => `<OutputObject><Cid>${Cid['/']}</Cid></OutputObject>`,
    async run (call) {
      await assertAccepted('dag/put', call, components)
      const nodes: { readonly line: DagLine, readonly bytes: Uint8Array }[] = []
      const emitAll = async (): Promise<void> => { for (const { line } of nodes) await call.reply.emit(line) }
      try {
        let bytesLeft = heldBytesMax
        for await (const content of uploadedFiles(call, components.clock, 'expected a regular file')) {
          const bytes = await held(content, bytesLeft)
          bytesLeft -= bytes.byteLength
          const told = nodes.length
          for await (const line of sent('dag/put', bytes, call, components)) nodes.push({ line: line as DagLine, bytes }) // which Kubo tells before it fails, if it does
          if (nodes.length === told) break // JSON that is cut short ends Kubo's answer without a word
        }
      } catch (err) {
        await emitAll()
        throw err
      }
      for (const { line, bytes } of nodes) await pinPut('dag/put', CID.parse(line.Cid['/']), bytes, call, components)
      await emitAll()
    }
  })
}

type PutCall = CommandCall<Readonly<Record<string, GoValue | undefined>>>
type PutCommand = 'block/put' | 'dag/put'

/**
 * The pin is agreed on first, then the daemon gets the same bytes again with its own `pin`, which keeps them from a GC and, unlike
 * `pin/add`, does not fetch what they link to. Answered when this peer's daemon holds it: the others' trackers see to themselves.
 */
async function pinPut (command: PutCommand, cid: CID, bytes: Uint8Array, call: PutCall, components: CommandComponents): Promise<void> {
  const agreed = Promise.withResolvers<void>()
  const delivered = Promise.withResolvers<void>()
  const givenUp = new AbortController()
  const { signal, commit } = committable(call.signal)
  delivered.promise.catch(() => {}) // the tracker hears of it
  const onAgreed = (): void => {
    commit() // it is the cluster's now, so the daemon gets it even when the caller leaves
    agreed.resolve()
  }
  const joined = joinSignals(call.signal, givenUp.signal)
  const pinning = components.cluster.pin(cid, defaultPinOptions, { wait: 'min', delivered: delivered.promise, signal: joined.signal, onAgreed }).finally(() => joined[Symbol.dispose]())
  pinning.catch(agreed.reject)
  try {
    await agreed.promise
    await put(command, bytes, { ...call, signal }, components, { pin: true })
    delivered.resolve()
  } catch (err) {
    // Given up, the cluster puts the pinset back as it was, and only then is it answered.
    givenUp.abort(err)
    delivered.reject(err)
    await pinning.catch(() => {})
    throw err
  }
}

/** Kubo looks at the options before it reads the upload, so its refusal comes while that is still on its way. @throws KuboRepliedError */
async function assertAccepted (command: PutCommand, call: PutCall, components: CommandComponents): Promise<void> {
  await put(command, undefined, call, components)
}

/** One part to the daemon, and the one line it answers; without a part, only what it says to the options. */
async function put<T> (command: PutCommand, bytes: Uint8Array | undefined, call: PutCall, components: CommandComponents, how = { pin: false }): Promise<T> {
  let first: unknown
  for await (const line of sent(command, bytes, call, components, how)) first ??= line
  return first as T
}

async function * sent (command: PutCommand, bytes: Uint8Array | undefined, { options, signal }: PutCall, { daemon }: CommandComponents, { pin } = { pin: false }): AsyncGenerator<unknown, void, undefined> {
  const boundary = `ipfs-quorum-${randomUUID()}`
  const part = bytes === undefined ? [] : [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="data"\r\nContent-Type: application/octet-stream\r\n\r\n`),
    bytes,
    Buffer.from('\r\n')
  ]
  const body = Buffer.concat([...part, Buffer.from(`--${boundary}--\r\n`)])
  const call = { query: queryOf(options, command, pin), headers: ['Content-Type', `multipart/form-data; boundary=${boundary}`], body: Readable.from([body]), signal }
  yield * daemon.values(command, call)
}

function queryOf (options: PutCall['options'], command: PutCommand, pin: boolean): QueryPairs {
  const names = Object.keys(command === 'block/put' ? blockPutOptions : dagPutOptions)
  const given = names.flatMap((name): [string, string][] => name === 'pin' || options[name] === undefined ? [] : [[name, String(options[name])]])
  return [...given, ['pin', String(pin)]]
}

async function held (content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of content) {
    length += chunk.byteLength
    if (length > bytesMax) throw new KuboCommandError(`what is put and pinned may not be more than ${heldBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
