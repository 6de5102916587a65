import t from 'tap'
import { MalformedError } from './bytes.ts'
import { decodeHello, encodeHello, frameTag, refusalOf } from './handshake.ts'
import type { HandshakeView, Hello } from './handshake.ts'
import { encodeFrame, FrameReader } from './frame.ts'

const hello: Hello = {
  version: 1, lane: 'append', clusterId: 'ours', from: { id: 2, incarnation: 22, name: 'two', address: 'x:1' }, boot: 5, nonce: 77, term: 9, lastIndex: 100,
  confIndex: 10, to: 1, toIncarnation: 11
}
const view: HandshakeView = {
  identity: { nodeId: 1, incarnation: 11, clusterId: 'ours', boot: 1 }, members: [{ id: 1, incarnation: 11, name: 'one', address: '' }, hello.from], confIndex: 10,
  seen: () => ({ boot: 5, nonce: 77, term: 9 }), acknowledged: () => 100
}

t.test('a member with its own folder is let in', async t => {
  t.equal(refusalOf(hello, view), undefined)
  t.equal(refusalOf({ ...hello, boot: 6, nonce: 1 }, view), undefined, 'started again')
  t.equal(refusalOf({ ...hello, from: { ...hello.from, id: 9 }, confIndex: 11 }, view), undefined, 'taken in by a membership we have not seen yet')
  t.equal(refusalOf(hello, { ...view, identity: { ...view.identity, clusterId: undefined }, members: [], confIndex: 0 }), undefined, 'by one that is being taken in')
})

t.test('whoever is not who he should be is told why he is not let in', async t => {
  t.equal(refusalOf({ ...hello, clusterId: 'theirs' }, view), 'other-cluster')
  t.equal(refusalOf({ ...hello, to: 3 }, view), 'not-me')
  t.equal(refusalOf({ ...hello, toIncarnation: 12 }, view), 'not-me', 'we were wiped since')
  t.equal(refusalOf({ ...hello, from: { ...hello.from, incarnation: 23 } }, view), 'other-incarnation', 'he was wiped since')
  t.equal(refusalOf({ ...hello, boot: 4 }, view), 'older-copy')
  t.equal(refusalOf({ ...hello, boot: 6, term: 8 }, view), 'older-copy')
  t.equal(refusalOf({ ...hello, nonce: 78 }, view), 'second-process')
  t.equal(refusalOf({ ...hello, boot: 6, lastIndex: 99 }, view), 'lost-log')
  t.equal(refusalOf({ ...hello, from: { ...hello.from, id: 9 }, confIndex: 9 }, view), 'removed')
  t.equal(refusalOf({ ...hello, version: 0 }, view), 'protocol-version')
})

t.test('a hello arrives as it was said, and its tag depends on all who it names', async t => {
  t.strictSame(decodeHello(encodeHello(hello)), hello)
  const others: Hello[] = [{ ...hello, clusterId: 'b' }, { ...hello, boot: 6 }, { ...hello, to: 4 }, { ...hello, toIncarnation: 4 }, { ...hello, from: { ...hello.from, incarnation: 4 } }]
  for (const other of others) t.not(frameTag(other), frameTag(hello))
})

t.test('frames arrive whole however they were cut, and a wrong one ends it', async t => {
  const bodies = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(5_000).fill(7)]
  const stream = Buffer.concat(bodies.map(encodeFrame))
  for (const size of [1, 3, 8, 1_000, 10_000]) {
    const reader = new FrameReader()
    const found: number[] = []
    for (let at = 0; at < stream.length; at += size) for (const body of reader.push(stream.subarray(at, at + size))) found.push(body.length)
    t.strictSame(found, [0, 3, 5_000], `in pieces of ${size}`)
  }
  const wrong = Buffer.from(stream)
  wrong[20]! ^= 1
  t.throws(() => new FrameReader().push(wrong), MalformedError)
})
