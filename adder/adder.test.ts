import t from 'tap'
import type { CID } from 'multiformats/cid'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import type { PeerId, Pin } from '../cluster/api/pin.ts'
import { MultipartError } from '../cluster/api/kubo/multipart.ts'
import { FakeClock, systemClock } from '../cluster/clock.ts'
import type { AddingDaemon, ClusterPinCall, DaemonAddLine } from '../cluster/ports.ts'
import { createAdder } from './adder.ts'
import type { Adder, AdderComponents } from './adder.ts'
import { noEntryMetadata } from './entries.ts'
import type { AddEntry } from './entries.ts'
import { sha256Cid } from './leaf-blocks.ts'
import type { AddedOutput } from './output.ts'
import type { AddOptions } from './params.ts'

const self = 'self' as PeerId
const { signal } = new AbortController()
const usual = { wait: 'min' } as const

const entry = (path: string, content: AsyncIterable<Uint8Array> | string = path, kind: AddEntry['kind'] = 'file'): AddEntry => ({
  kind, path, isTop: !path.includes('/'), metadata: noEntryMetadata,
  content: typeof content === 'string' ? (async function * () { yield Buffer.from(content) })() : content
})
const directory = (path: string): AddEntry => entry(path, '', 'directory')

async function * upload (...entries: readonly (AddEntry | Promise<AddEntry>)[]): AsyncGenerator<AddEntry> {
  for (const each of entries) yield await each
}

/** A cluster and a daemon that say yes, and what they were asked. */
function fakeParts (over: Partial<AdderComponents> = {}): { components: AdderComponents, pins: string[], blocks: { count: number } } {
  const pins: string[] = []
  const blocks = { count: 0 }
  const components: AdderComponents = {
    clock: systemClock,
    cluster: {
      self,
      allocate: async () => ({ peers: [self], min: 1 }),
      canDoWithout: () => false,
      foresee: () => ({ [Symbol.dispose] () {} }),
      async pin (cid, options, { onAgreed, delivered, signal }: ClusterPinCall) {
        onAgreed?.({} as Pin)
        await Promise.race([delivered, new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))])
        pins.push(`${cid}${options.name === '' ? '' : ` ${options.name}`}`)
        return {} as Pin
      }
    },
    async putBlocks (_peer, source, roots) {
      for await (const _ of source) blocks.count++
      await roots
      return []
    },
    daemon: fakeDaemon(),
    ...over
  }
  return { components, pins, blocks }
}

/** Answers in Kubo's order with hashes of the names. */
function fakeDaemon (): AddingDaemon & { readonly queries: string[] } {
  const queries: string[] = []
  return {
    queries,
    importSettings: async () => ({}),
    reachPinLock: async () => {},
    exportDag: async function * () {},
    async * add ({ query, body }): AsyncGenerator<DaemonAddLine> {
      queries.push(query)
      const text = Buffer.concat(await Array.fromAsync(body)).toString()
      const parts = [...text.matchAll(/filename="([^"]*)"\r\nContent-Type: (.*)\r/g)].map(([, name, type]) => ({ name: decodeURIComponent(name!), isDirectory: type === 'application/x-directory' }))
      if (parts.length === 0) throw new KuboRepliedError('expected a file argument', { status: 500, kuboCode: 0 })
      for (const group of Object.values(Object.groupBy(parts, ({ name }) => name.split('/')[0]!))) {
        const inOrder = [...group!.filter(({ isDirectory }) => !isDirectory), ...group!.filter(({ isDirectory }) => isDirectory).reverse()]
        for (const { name } of inOrder) yield { Name: name, Hash: cidOf(name).toString(), Size: '7' }
      }
    }
  }
}

const cidOf = (text: string): CID => sha256Cid(1, 0x55, Buffer.from(text))
const add = (adder: Adder, entries: AsyncIterable<AddEntry>, options: AddOptions = {}): AsyncIterable<AddedOutput> => adder.add(entries, { options, ...usual }, { signal })
const namesOf = (outputs: readonly AddedOutput[]): string[] => outputs.map(output => output.kind === 'pinned' ? '*' : `${output.name}${output.kind === 'progress' ? ` ${output.bytes}` : ''}`)
const raw = { 'cid-version': 1 } as const

t.test('the usual options are the importer\'s, others the daemon\'s', async t => {
  const { components } = fakeParts()
  const adder = createAdder(components)

  for (const options of [{}, { progress: true, pin: true, 'inline-limit': 32 }, raw, { 'wrap-with-directory': true }]) await Array.fromAsync(add(adder, upload(entry('a')), options))
  t.strictSame(adder.routes, { importer: 4, daemon: 0 })

  for (const options of [{ hash: 'blake3' }, { chunker: 'buzhash' }, { trickle: true }]) await Array.fromAsync(add(adder, upload(entry('a')), options))
  t.strictSame(adder.routes, { importer: 4, daemon: 3 })
})

t.test('an import makes way for a GC that came before it was known to have the pin lock, and is opened anew', async t => {
  const clock = new FakeClock()
  const daemon = fakeDaemon()
  const steps: string[] = []
  const { components } = fakeParts({
    clock,
    async putBlocks (_peer, source, roots) {
      steps.push('opened')
      for await (const _ of source) { /* it has them */ }
      await roots.catch(() => { steps.push('made way') })
      return []
    },
    daemon: {
      ...daemon,
      async reachPinLock ({ signal }) {
        if (steps.length > 1) return void steps.push('has the lock')
        clock.advance(500)
        signal.throwIfAborted()
      }
    }
  })

  const outputs = await Array.fromAsync(add(createAdder(components), upload(entry('a')), { trickle: true }))

  t.strictSame(steps, ['opened', 'made way', 'opened', 'has the lock'])
  t.strictSame(namesOf(outputs), ['a', '*'])
})

t.test('files come as they are done, then directories from below, each root behind its pin', async t => {
  const { components, pins } = fakeParts()
  const entries = upload(directory('t'), entry('t/a'), directory('t/s'), entry('t/s/b'), entry('u'))

  const outputs = await Array.fromAsync(add(createAdder(components), entries, { 'pin-name': 'n' }))

  t.strictSame(namesOf(outputs), ['t/a', 't/s/b', 't/s', 't', '*', 'u', '*'])
  t.equal(pins.length, 2)
  t.ok(pins.every(pin => pin.endsWith(' n')))
})

t.test('a root\'s line is held back until it is pinned, lines before it are not', async t => {
  const isHeld = Promise.withResolvers<void>()
  const { components } = fakeParts()
  const cluster = { ...components.cluster, async pin (...[cid, options, call]: Parameters<AdderComponents['cluster']['pin']>) { await isHeld.promise; return await components.cluster.pin(cid, options, call) } }
  const outputs = add(createAdder({ ...components, cluster }), upload(directory('t'), entry('t/a')))[Symbol.asyncIterator]()

  const first = await outputs.next()
  const second = outputs.next()
  const isEarly = await Promise.race([second.then(() => true), new Promise(resolve => setImmediate(resolve, false))])
  isHeld.resolve()

  t.match(first.value, { name: 't/a' })
  t.equal(isEarly, false)
  t.match((await second).value, { name: 't' })
})

t.test('the line of a file comes while the next is on its way', async t => {
  const { components } = fakeParts()
  const late = Promise.withResolvers<AddEntry>()
  const outputs = add(createAdder(components), upload(entry('a'), late.promise))[Symbol.asyncIterator]()

  t.match((await outputs.next()).value, { name: 'a' })
  late.resolve(entry('b'))
  t.match((await outputs.next()).value, { kind: 'pinned' })
  t.match((await outputs.next()).value, { name: 'b' })
})

t.test('silent leaves out files, not directories, and pins all the same', async t => {
  for (const options of [{ silent: true }, { silent: true, hash: 'blake3' }]) {
    const { components, pins } = fakeParts()

    const outputs = await Array.fromAsync(add(createAdder(components), upload(directory('t'), directory('t/s'), entry('u')), options))

    t.strictSame(namesOf(outputs).filter(name => name !== '*').sort(), ['t', 't/s'])
    t.equal(pins.length, 2)
  }
})

t.test('the daemon is not asked to pin, and hears what it was asked for', async t => {
  const daemon = fakeDaemon()
  const { components, pins } = fakeParts({ daemon })

  await Array.fromAsync(add(createAdder(components), upload(entry('a')), { hash: 'blake3', 'pin-name': 'n', pin: true, chunker: 'size-5' }))

  t.strictSame([...new URLSearchParams(daemon.queries.at(-1))], [['pin', 'false'], ['hash', 'blake3'], ['chunker', 'size-5']])
  t.strictSame(pins, [`${cidOf('a')} n`])
})

t.test('a file that is cut is not pinned; what came before it is', async t => {
  const { components, pins } = fakeParts()
  const cut = (async function * () { yield Buffer.from('half'); throw new MultipartError('unexpected EOF', { cut: true }) })()
  const outputs: AddedOutput[] = []

  await t.rejects(async () => { for await (const output of add(createAdder(components), upload(entry('a'), entry('b', cut)), raw)) outputs.push(output) }, { message: 'multipart: NextPart: EOF' })

  t.strictSame(namesOf(outputs), ['a', '*'])
  t.strictSame(pins, [cidOf('a').toString()])
})

t.test('a directory that is cut is not pinned at all', async t => {
  const { components, pins } = fakeParts()
  const cut = (async function * () { yield Buffer.from('half'); throw new MultipartError('unexpected EOF', { cut: true }) })()

  await t.rejects(Array.fromAsync(add(createAdder(components), upload(directory('t'), entry('t/a'), entry('t/b', cut)))), { message: 'multipart: NextPart: EOF' })

  t.strictSame(pins, [])
})

t.test('a pin that is refused ends the answer at its line, and the upload is read no further', async t => {
  const { components } = fakeParts()
  const refused = { ...components.cluster, async pin (...[cid, options, call]: Parameters<AdderComponents['cluster']['pin']>) { if (cid.equals(cidOf('b'))) throw new Error('refused'); return await components.cluster.pin(cid, options, call) } }
  const never = new Promise<AddEntry>(() => {})
  const outputs: AddedOutput[] = []

  await t.rejects(async () => { for await (const output of add(createAdder({ ...components, cluster: refused }), upload(entry('a'), entry('b'), never), raw)) outputs.push(output) }, { message: 'refused' })

  t.strictSame(namesOf(outputs), ['a', '*'])
})

t.test('two entries of one name under one root are refused as Kubo refuses them', async t => {
  const { components, pins } = fakeParts()

  await t.rejects(Array.fromAsync(add(createAdder(components), upload(entry('a', '1'), entry('a', '2')), { 'wrap-with-directory': true })), { message: 'directory already has entry by that name' })
  t.strictSame(pins, [])
})

t.test('an upload of nothing is refused, but wrapped it is an empty directory', async t => {
  const { components } = fakeParts()

  await t.rejects(Array.fromAsync(add(createAdder(components), upload())), { message: 'expected a file argument' })
  t.strictSame(namesOf(await Array.fromAsync(add(createAdder(components), upload(), { 'wrap-with-directory': true }))), ['', '*'])
})

t.test('a destination that takes nothing holds the upload back', async t => {
  let read = 0
  const endless = (async function * () { for (;;) { read += 65_536; yield new Uint8Array(65_536) } })()
  const leaving = new AbortController()
  const { components } = fakeParts({ putBlocks: async (_peer, _blocks, _roots, { signal }) => await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))) })
  const adding = Array.fromAsync(createAdder(components).add(upload(entry('a', endless)), { options: {}, ...usual }, { signal: leaving.signal }))

  let before = -1
  while (read !== before) {
    before = read
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  }
  t.ok(read < 8 << 20, `${read} bytes read`)

  leaving.abort(new Error('client went away'))
  await t.rejects(adding, { message: 'client went away' })
})

t.test('ten thousand files are ten thousand lines', async t => {
  const { components, pins } = fakeParts()
  const entries = upload(directory('t'), ...Array.from({ length: 10_000 }, (_, i) => entry(`t/${i}`)))

  const outputs = await Array.fromAsync(add(createAdder(components), entries))

  t.equal(outputs.length, 10_002)
  t.equal(pins.length, 1)
})
