/** Uploads through a whole peer: what is wrong is refused in Kubo's words, what is cut is not pinned, what is answered is held. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { eventually } from './harness/eventually.ts'
import { startPeer } from './harness/peer.ts'
import type { Peer } from './harness/peer.ts'
import { pseudoRandom } from './harness/recordings/request-bytes.ts'
import { multipartOf, upload, uploadBoundary } from './harness/upload.ts'
import type { Answer } from './harness/upload.ts'

const ask = async (port: number, path: string): Promise<Answer> => await upload(port, path, new Uint8Array())

/** What the daemon itself has pinned recursively, and under what name. */
async function pinsOf ({ daemon }: Peer): Promise<Record<string, string>> {
  const { lines: [answer] } = await ask(daemon.port, 'pin/ls?type=recursive&names=true')
  const keys = (answer as { Keys?: Record<string, { Name: string }> }).Keys ?? {}
  return Object.fromEntries(Object.entries(keys).map(([cid, { Name }]) => [cid, Name]))
}

async function clusterPins ({ cluster }: Peer): Promise<string[]> {
  return await Array.fromAsync(cluster.state.list({ signal: new AbortController().signal }), ({ cid }) => cid.toString())
}

const partHead = (filename: string): Buffer => Buffer.from(`--${uploadBoundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`)
const text = (name: string, body: string) => ({ filename: name, body })

async function cidOf (bytes: Uint8Array): Promise<CID> { return CID.createV1(0x55, await sha256.digest(bytes)) }
const varint = (value: number): Buffer => Buffer.from(value < 0x80 ? [value] : [value % 0x80 | 0x80, ...varint(Math.floor(value / 0x80))])
const section = (...pieces: Uint8Array[]): Buffer => Buffer.concat([varint(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces])
const car = (roots: readonly CID[], ...blocks: { cid: CID, bytes: Uint8Array }[]): Buffer => Buffer.concat([section(encode({ roots, version: 1 })), ...blocks.map(({ cid, bytes }) => section(cid.bytes, bytes))])
const block = async (content: string | Uint8Array) => { const bytes = Buffer.from(content as string); return { cid: await cidOf(bytes), bytes } }

/** Of an upload that says it has 5 GiB. */
const cutAtMiB = 256

/** Real daemons on a busy machine take their time. */
t.setTimeout(900_000)

t.test('a peer takes uploads', async t => {
  await using peer = await startPeer()
  const before = await pinsOf(peer)

  await t.test('an add is a pin of the cluster and of the daemon, by its name', async t => {
    const answer = await upload(peer.port, 'add?pin-name=a%20name&cid-version=1', multipartOf([text('named', 'named\n')]))
    const hash = answer.lines[0]!['Hash'] as string

    t.ok((await clusterPins(peer)).includes(hash))
    t.equal((await pinsOf(peer))[hash], 'a name')
    await upload(peer.port, 'add?cid-version=1', multipartOf([text('unnamed', 'named\n')]))
    t.equal((await pinsOf(peer))[hash], '', 'added again without a name it has none, as in Kubo')
  })

  await t.test('what only the daemon can build is pinned as well', async t => {
    const answer = await upload(peer.port, 'add?hash=blake3&chunker=size-10&pin-name=b', multipartOf([text('one', 'a'.repeat(100)), text('two', 'two\n')]))
    const roots = answer.lines.map(({ Hash }) => Hash as string)

    const pins = await pinsOf(peer)
    t.strictSame(roots.map(root => pins[root]), ['b', 'b'])
    t.strictSame((await clusterPins(peer)).filter(cid => roots.includes(cid)).length, 2)
  })

  const cuts: readonly (readonly [string, Buffer])[] = [
    ['in a file', Buffer.concat([partHead('cut'), Buffer.from('half a fi')])],
    ['in a directory', Buffer.concat([partHead('d%2Fa'), Buffer.from('whole\r\n'), partHead('d%2Fb'), Buffer.from('half')])],
    ['in a large file', Buffer.concat([partHead('cut'), pseudoRandom('cut', 3_000_000)])]
  ]
  for (const [where, body] of cuts) {
    await t.test(`a multipart body that is cut ${where} pins nothing`, async t => {
      const pinned = await pinsOf(peer)

      const answer = await upload(peer.port, 'add', body)

      t.match(`${answer.text}${answer.streamError}`, /multipart: NextPart: EOF/)
      t.strictSame(await pinsOf(peer), pinned)
    })
  }

  await t.test('names lead nowhere, whatever is in them', async t => {
    const answer = await upload(peer.port, 'add?cid-version=1', multipartOf([text('..%2F..%2Fetc%2F%00%0Apasswd', 'x\n')]))

    t.strictSame(answer.lines.map(({ Name }) => Name), ['etc/\0\npasswd', 'etc'])
  })

  await t.test('ten thousand files are answered one by one', async t => {
    const parts = Array.from({ length: 10_000 }, (_, i) => text(`many%2F${i}`, `${i}\n`))

    const answer = await upload(peer.port, 'add?cid-version=1', multipartOf(parts))

    t.equal(answer.lines.length, 10_001)
    t.ok((await pinsOf(peer))[answer.lines.at(-1)!['Hash'] as string] !== undefined)
  })

  const [one, two] = [await block('car one'), await block('car two')]
  const big = await block(new Uint8Array(3 << 20))
  const badCars: readonly (readonly [string, Buffer, string])[] = [
    ['is cut', car([one.cid], one).subarray(0, -1), 'import failed: unexpected EOF'],
    ['lies about a block', car([one.cid], one, { cid: two.cid, bytes: one.bytes }), `import failed after block "${one.cid}": mismatch in content integrity, expected: ${two.cid}, got: ${one.cid}`],
    ['announces a header of 1 TiB', varint(2 ** 40), 'invalid header data, length of read beyond allowable maximum'],
    ['announces a block of 1 TiB', Buffer.concat([car([one.cid], one), varint(2 ** 40)]), `import failed after block "${one.cid}": invalid section data, length of read beyond allowable maximum`],
    ['has a block of 3 MiB', car([big.cid], big), `import failed at block "${big.cid}": produced block is over 2MiB: big blocks can't be exchanged with other peers. consider using UnixFS for automatic chunking of bigger files, or pass --allow-big-block to override`]
  ]
  for (const [what, bytes, message] of badCars) {
    await t.test(`a CAR that ${what} is refused in Kubo's words and pins nothing`, async t => {
      const pinned = await pinsOf(peer)

      const answer = await upload(peer.port, 'dag/import', multipartOf([{ body: bytes }]))

      t.match(answer, { status: 500, lines: [{ Message: message }] })
      t.strictSame(await pinsOf(peer), pinned)
    })
  }

  await t.test('a root that is not there fails alone', async t => {
    const answer = await upload(peer.port, 'dag/import?stats=true', multipartOf([{ body: car([one.cid, two.cid], one) }]))

    const roots = new Map(answer.lines.flatMap(({ Root }) => Root === undefined ? [] : [Root as { Cid: { '/': string }, PinErrorMsg: string }]).map(({ Cid, PinErrorMsg }) => [Cid['/'], PinErrorMsg]))
    t.equal(roots.get(one.cid.toString()), '')
    t.equal(roots.get(two.cid.toString()), `ipld: could not find ${two.cid}`)
    t.match(answer.lines.at(-1), { Stats: { BlockCount: 1, BlockBytesCount: 7 } })
    t.notOk((await clusterPins(peer)).includes(two.cid.toString()))
  })

  await t.test('a CID of over 256 bytes is refused', async t => {
    const long = CID.createV1(0x55, Digest.create(0x00, new Uint8Array(300)))

    const answer = await upload(peer.port, 'dag/import', multipartOf([{ body: car([long], { cid: long, bytes: new Uint8Array(300) }) }]))

    t.match(`${answer.text}`, /digest too large/)
    t.notOk((await clusterPins(peer)).includes(long.toString()))
  })

  await t.test('a client that goes in the middle of its upload leaves no pin, and no lock that a GC would wait for', async t => {
    const pinned = await pinsOf(peer)
    const leaving = new AbortController()
    const body = (async function * () {
      yield partHead('gone')
      for (let i = 0; i < 40; i++) yield pseudoRandom(`gone-${i}`, 262_144)
      leaving.abort()
      await new Promise(() => {})
    })()

    await t.rejects(upload(peer.port, 'add', body, leaving))
    await ask(peer.daemon.port, 'repo/gc')

    t.strictSame(await pinsOf(peer), pinned)
  })

  await t.test('a client that goes in the middle of its answer does not stop the peer', async t => {
    const leaving = new AbortController()
    const parts = Array.from({ length: 2_000 }, (_, i) => text(`gone%2F${i}`, `${i}\n`))
    const answering = upload(peer.port, 'add?progress=true', multipartOf(parts), leaving)

    setImmediate(() => leaving.abort())

    await t.rejects(answering)
    t.equal((await upload(peer.port, 'add', multipartOf([text('still', 'here\n')]))).status, 200)
  })

  await t.test('a body that is not multipart, or only says so, is refused as the daemon alone refuses it, and pins nothing', async t => {
    const pinned = await pinsOf(peer)
    const whole = multipartOf([text('f', 'x')])
    const bodies = [['text/plain', 'hello'], ['multipart/form-data', whole], [`multipart/mixed; boundary=${uploadBoundary}`, whole], [`multipart/form-data; boundary=${uploadBoundary}`, 'hello']] as const
    const commands = ['add', 'block/put?pin=true', 'dag/put?pin=true', 'dag/import'] // the last of both is what Kubo lets pass, see docs/kubo-proxy.md
    const cases = bodies.flatMap(([type, body]) => commands.map(path => ({ path, type, body: Buffer.from(body) }))).slice(0, -1)
    const refusals = async ({ port }: { readonly port: number }): Promise<unknown[]> => await Promise.all(cases.map(async ({ path, type, body }) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v0/${path}`, { method: 'POST', headers: { 'content-type': type }, body })
      return [path, type, response.status, await response.text()]
    }))

    const answers = await refusals(peer)

    t.strictSame(answers, await refusals(peer.daemon))
    t.strictSame(await pinsOf(peer), pinned)
  })

  await t.test('an upload of 5 GiB that is cut in the middle leaves no pin and no lock, and is at no time held in memory', async t => {
    const pinned = await pinsOf(peer)
    const piece = Buffer.alloc(1 << 20) // of which a daemon keeps one block
    const heldBytes = (): number => process.memoryUsage().arrayBuffers
    const before = heldBytes()
    let most = 0
    const socket = connect({ host: peer.host, port: peer.port })
    socket.on('error', () => {})
    socket.write(`POST /api/v0/add HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=${uploadBoundary}\r\nContent-Length: ${5 * 2 ** 30}\r\n\r\n`)
    socket.write(partHead('large'))

    for (let sent = 0; sent < cutAtMiB; sent++) {
      if (!socket.write(piece)) await once(socket, 'drain')
      most = Math.max(most, heldBytes() - before)
    }
    socket.destroy()
    await ask(peer.daemon.port, 'repo/gc')

    t.ok(most < cutAtMiB << 19, `${most >> 20} MiB held of ${cutAtMiB} MiB sent`)
    t.strictSame(await pinsOf(peer), pinned)
    t.strictSame((await clusterPins(peer)).filter(cid => pinned[cid] === undefined), [])
  })

  await t.test('a GC in the middle of adds takes nothing of what they answer for', async t => {
    let isAdding = true
    const collecting = (async () => { while (isAdding) await ask(peer.daemon.port, 'repo/gc') })()
    for (const options of ['', '?hash=blake2b-256', '?to-files=/']) {
      for (let i = 0; i < 5; i++) {
        const slowly = (async function * () {
          const bytes = multipartOf([text(`d${i}%2Fa`, `${i}${'x'.repeat(600_000)}`), text(`d${i}%2Fb`, `${i}`), text(`e${i}`, `${options}${i}`)])
          for (let at = 0; at < bytes.length; at += 100_000) { yield bytes.subarray(at, at + 100_000); await new Promise(setImmediate) }
        })()
        const answer = await upload(peer.port, `add${options}`, slowly)
        t.equal(answer.streamError, undefined)
        for (const { Name, Hash } of answer.lines) {
          const { status } = await ask(peer.daemon.port, `dag/stat?arg=${String(Hash)}&offline=true&progress=false`)
          t.equal(status, 200, `${String(Name)} is whole`)
        }
      }
    }
    isAdding = false
    await collecting
  })

  await t.test('added into the files, it is there', async t => {
    await upload(peer.port, 'add?to-files=/', multipartOf([text('in-files', 'in files\n')]))

    t.match((await ask(peer.port, 'files/stat?arg=/in-files')).lines, [{ Size: 9 }])
  })

  await t.test('what is put and pinned is a pin of the cluster, also when a child is missing', async t => {
    const withLink = JSON.stringify({ link: { '/': two.cid.toString() } })

    const blocks = await upload(peer.port, 'block/put?pin=true', multipartOf([{ body: 'pb one' }, { body: 'pb two' }]))
    const nodes = await upload(peer.port, 'dag/put?pin=true', multipartOf([{ body: withLink }]))

    const named = [...blocks.lines.map(({ Key }) => Key as string), ...nodes.lines.map(({ Cid }) => (Cid as { '/': string })['/'])]
    t.equal(named.length, 3)
    const pins = await pinsOf(peer)
    t.ok(named.every(cid => pins[cid] !== undefined))
    t.ok((await clusterPins(peer)).filter(cid => named.includes(cid)).length === 3)
    await eventually('the daemon has let go', async () => (await ask(peer.port, `pin/rm?arg=${named[2]}`)).status === 200)
  })

  t.ok(Object.keys(before).every(async cid => (await pinsOf(peer))[cid] !== undefined), 'what was pinned before is pinned still')
})

t.test('where there are too few peers nothing is added', async t => {
  await using peer = await startPeer({ env: { CLUSTER_REPLICATIONFACTORMIN: '2', CLUSTER_REPLICATIONFACTORMAX: '2' } })
  const before = await pinsOf(peer)

  const answer = await upload(peer.port, 'add', multipartOf([text('f', 'refused\n')]))
  const imported = await upload(peer.port, 'dag/import', multipartOf([{ body: car([(await block('x')).cid], await block('x')) }]))

  t.match(answer, { status: 500, lines: [{ Message: /not enough peers/ }] })
  t.match(imported, { status: 500, lines: [{ Message: /not enough peers/ }] })
  t.strictSame(await pinsOf(peer), before)
})

t.test('when the daemon goes in the middle of requests, each is answered with an error, and nothing is pinned', async t => {
  await using peer = await startPeer()
  const daemonHasGone = Promise.withResolvers<void>()
  const half = async function * (head: Uint8Array, rest: Uint8Array): AsyncGenerator<Uint8Array> {
    yield head
    await daemonHasGone.promise
    yield rest
  }
  const whole = multipartOf([text('f', 'x'.repeat(3_000_000))])
  const one = await block('one')
  const archive = multipartOf([{ body: car([one.cid], one) }])
  const answers = Promise.all([
    upload(peer.port, 'add', half(whole.subarray(0, 2_000_000), whole.subarray(2_000_000))),
    upload(peer.port, 'dag/import', half(archive.subarray(0, 200), archive.subarray(200))),
    ask(peer.port, 'pin/add?arg=bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  ])
  await eventually('the pin is agreed on', async () => (await clusterPins(peer)).length === 1)

  await peer.daemon[Symbol.asyncDispose]()
  daemonHasGone.resolve()

  for (const { status, text } of await answers) t.match({ status, text }, { status: /^50[02]$/, text: /"Type":"error"/ })
  t.strictSame(await clusterPins(peer), [])
})
