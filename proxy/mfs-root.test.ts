import t from 'tap'
import type { CID } from 'multiformats/cid'
import { FakeClock } from '../cluster/clock.ts'
import { silentLogger } from '../cluster/log.ts'
import { cidOf } from '../ipfs-compat-tests/harness/pins.ts'
import { createMfsRoot, mayWriteFiles } from './mfs-root.ts'

const second = 1_000

/** A daemon whose root a test sets, and what was made of it. */
function following () {
  const clock = new FakeClock()
  const daemon = { root: 'a', links: 1, isAway: false }
  const followed: (string | undefined)[] = []
  const root = createMfsRoot({
    daemon: {
      async value () {
        if (daemon.isAway) throw new Error('away')
        return { Hash: cidOf(daemon.root).toString(), Blocks: daemon.links }
      }
    },
    async follow (cid: CID | undefined) {
      followed.push(cid?.toString())
      return true
    },
    clock,
    log: silentLogger
  })
  const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))
  return {
    root, daemon, followed,
    async pass (ms: number) { await turn(); clock.advance(ms); await turn(); await turn() }
  }
}
const nameOf = (seed: string): string => cidOf(seed).toString()

t.test('the root is looked at when the peer starts, after each pause in the writing, and now and then', async t => {
  const { root, daemon, followed, pass } = following()
  await root.start({ signal: new AbortController().signal })

  await pass(2 * second)
  t.strictSame(followed, [nameOf('a')], 'for what happened while the peer was down')
  daemon.root = 'b'
  root.written()
  await pass(1 * second)
  root.written()
  await pass(1 * second)
  t.equal(followed.length, 1, 'not while it is being written')
  await pass(1 * second)
  t.strictSame(followed.slice(1), [nameOf('b')])
  daemon.links = 0
  await pass(60 * second)
  t.strictSame(followed.slice(2), [undefined], 'somebody wrote to the daemon directly')

  await root[Symbol.asyncDispose]()
})

t.test('writing without a pause does not put it off for ever', async t => {
  const { root, followed, pass } = following()
  await root.start({ signal: new AbortController().signal })
  await pass(2 * second)

  for (let i = 0; i < 15; i++) {
    root.written()
    await pass(1 * second)
  }

  t.equal(followed.length, 2)
  await root[Symbol.asyncDispose]()
})

t.test('a daemon that is away is asked again', async t => {
  const { root, daemon, followed, pass } = following()
  daemon.isAway = true
  await root.start({ signal: new AbortController().signal })
  await pass(2 * second)
  daemon.isAway = false

  await pass(10 * second)

  t.strictSame(followed, [nameOf('a')])
  await root[Symbol.asyncDispose]()
})

t.test('calls that may change the files are told by their path, however it is written', async t => {
  const writes = ['files/write?arg=/a', 'files/rm', 'files/cp', 'files/mv/x', 'files/%77rite', 'files%2Fmkdir', 'files/flush', 'files/later', 'add?to-files', 'add?a=b&to-files=/x', 'add?to%2Dfiles=/']
  const reads = ['files/stat', 'files/read?arg=/a', 'files/ls/', 'add', 'add?progress=true', 'id', 'filestore/ls', 'cat?arg=files/write']

  t.strictSame(writes.filter(path => !mayWriteFiles(`/api/v0/${path}`)), [])
  t.strictSame(reads.filter(path => mayWriteFiles(`/api/v0/${path}`)), [])
  t.ok(mayWriteFiles('/%61pi/v0/files/write') && mayWriteFiles('http://x/api/v0/files/write'))
})
