import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { eventually } from '../../ipfs-compat-tests/harness/eventually.ts'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import { createIdentity } from '../config/identity.ts'
import { createLogger } from '../log.ts'
import { AddressBook } from './address-book.ts'
import { createPeerstoreFile } from './peerstore-file.ts'

const signal = AbortSignal.timeout(240_000)

async function setUp (t: Test, text?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'peerstore-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const path = join(folder, 'peerstore')
  if (text !== undefined) await writeFile(path, text)
  const book = new AddressBook()
  const lines: string[] = []
  const watchers = new Set<() => void>()
  const host = {
    learn (peer: PeerId, addresses: readonly string[]) { if (book.learn(peer, addresses)) for (const changed of watchers) changed() },
    known: () => book.all(),
    watchKnown (changed: () => void) {
      watchers.add(changed)
      return { [Symbol.dispose]: () => { watchers.delete(changed) } }
    }
  }
  const clock = new FakeClock()
  const file = createPeerstoreFile({ host, clock, log: createLogger(line => lines.push(line), new Map()) }, path)
  return { path, book, host, clock, file, lines }
}

t.test('what is learnt is in the file after the end, and known again after the next start', async t => {
  const [a, b] = [createIdentity().id, createIdentity().id]
  const { path, book, file } = await setUp(t)
  await file.start({ signal })

  book.learn(a, ['/ip4/10.0.0.1/tcp/9096', `/dns4/a.example/tcp/9096/p2p/${a}`])
  book.learn(b, ['/ip6/::1/tcp/9096'])
  await file[Symbol.asyncDispose]()

  const text = await readFile(path, 'utf8')
  t.strictSame(text.split('\n'), [`/dns4/a.example/tcp/9096/p2p/${a}`, `/ip4/10.0.0.1/tcp/9096/p2p/${a}`, `/ip6/::1/tcp/9096/p2p/${b}`, ''])
  const next = await setUp(t, text)
  await next.file.start({ signal })
  t.strictSame(next.book.all(), new Map([[a, [`/ip4/10.0.0.1/tcp/9096/p2p/${a}`, `/dns4/a.example/tcp/9096/p2p/${a}`]], [b, [`/ip6/::1/tcp/9096/p2p/${b}`]]]))
  await next.file[Symbol.asyncDispose]()
})

t.test('while the peer runs, the file is written a moment after something new is learnt, once for all that comes together', async t => {
  const [a, b] = [createIdentity().id, createIdentity().id]
  const { path, host, clock, file } = await setUp(t)
  await file.start({ signal })
  t.teardown(async () => { await file[Symbol.asyncDispose]() })

  host.learn(a, ['/ip4/10.0.0.1/tcp/9096'])
  clock.advance(500)
  host.learn(b, ['/ip4/10.0.0.2/tcp/9096'])
  clock.advance(500)
  const text = await eventually('it is there', async () => await readFile(path, 'utf8'), { signal })

  t.equal(text, [`/ip4/10.0.0.1/tcp/9096/p2p/${a}`, `/ip4/10.0.0.2/tcp/9096/p2p/${b}`, ''].join('\n'))
})

t.test('comments are read over, and lines that name no peer are told and left out', async t => {
  const { id } = createIdentity()
  const { book, file, lines } = await setUp(t, `# mine\n\n/ip4/10.0.0.1/tcp/9096/p2p/${id}\n/ip4/10.0.0.2/tcp/9096\n/nonsense\n`)

  await file.start({ signal })
  await file[Symbol.asyncDispose]()

  t.strictSame([...book.all().keys()], [id])
  t.equal(lines.length, 2)
})

t.test('an address of somebody else, and what cannot be dialled, is not learnt; of many addresses the newest are kept', async t => {
  const [a, b] = [createIdentity().id, createIdentity().id]
  const book = new AddressBook()

  book.learn(a, [`/ip4/10.0.0.1/tcp/9096/p2p/${b}`, '/ip4/10.0.0.1/udp/9096/quic', 'nonsense', '/ip4/10.0.0.1/tcp/1/ws'])
  t.strictSame(book.all(), new Map())
  book.learn(a, Array.from({ length: 40 }, (_, i) => `/ip4/10.0.0.1/tcp/${i + 1}`))

  t.equal(book.addresses(a).length, 16)
  t.equal(book.addresses(a)[0]!.toString(), '/ip4/10.0.0.1/tcp/40')
})
