import t from 'tap'
import { cidOf, other, pinOf, self } from '../ipfs-compat-tests/harness/pins.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { Pin, PinOptions } from './api/pin.ts'
import { draftPin, isSamePin } from './pinning.ts'
import type { PinQuestion } from './pinning.ts'

const nowMs = 1_000_000
const wish = (given: Partial<PinOptions> = {}): PinOptions => ({ ...defaultPinOptions, ...given })
const question = (given: Partial<PinQuestion> = {}): PinQuestion => ({ cid: cidOf('a'), wanted: wish(), existing: undefined, updated: undefined, defaults: { replication: 'everywhere' }, nowMs, ...given })

t.test('what was not asked for is the default', async t => {
  t.match(draftPin(question()), { name: '', mode: 'recursive', replication: 'everywhere', allocations: [], expireAtMs: undefined, timestampMs: nowMs })
})

t.test('who holds it goes on holding it', async t => {
  const existing = pinOf('a', { replication: { min: 1, max: 2 }, allocations: [other] })

  t.strictSame(draftPin(question({ existing, defaults: { replication: { min: 1, max: 2 } } })).allocations, [other])
  t.strictSame(draftPin(question({ existing, wanted: wish({ replication: 'everywhere' }) })).allocations, [])
})

t.test('nothing leaks from the pin that was there before', async t => {
  const existing = pinOf('a', { name: 'old', metadata: { a: '1' }, expireAtMs: nowMs + 1, origins: ['/ip4/1.2.3.4'], pinUpdate: cidOf('b') })

  t.match(draftPin(question({ existing })), { name: '', metadata: {}, expireAtMs: undefined, origins: [], pinUpdate: undefined })
})

t.test('an update takes over from the pin it grows out of, and a name of its own wins', async t => {
  const updated = pinOf('b', { name: 'site', metadata: { owner: 'me' }, replication: { min: 1, max: 1 }, allocations: [self] })

  t.match(draftPin(question({ updated, wanted: wish({ pinUpdate: updated.cid }) })), { name: 'site', metadata: { owner: 'me' }, replication: { min: 1, max: 1 }, allocations: [self] })
  t.match(draftPin(question({ updated, wanted: wish({ pinUpdate: updated.cid, name: 'new' }) })), { name: 'new' })
})

t.test('what Kubo refuses is refused in its words', async t => {
  t.throws(() => draftPin(question({ wanted: wish({ name: 'ü'.repeat(128) }) })), { code: 'ERR_IPFS_REPLIED', message: 'pin name is 256 bytes (max 255 bytes)', status: 500 })
  t.throws(() => draftPin(question({ existing: pinOf('a'), wanted: wish({ mode: 'direct' }) })), { message: `pin: ${cidOf('a').toString()} already pinned recursively` })
  t.match(draftPin(question({ existing: pinOf('a', { mode: 'direct' }) })), { mode: 'recursive' }, 'a recursive pin over a direct one is none of it')
})

t.test('what cannot be is refused', async t => {
  const refused = (wanted: Partial<PinOptions>, message: RegExp): unknown => t.throws(() => draftPin(question({ wanted: wish(wanted) })), { code: 'ERR_INVALID_ARGUMENT', message })

  refused({ expireAtMs: nowMs }, /expire before/)
  refused({ replication: { min: 2, max: 1 } }, /from 2 to 1/)
  refused({ replication: { min: 0, max: 1 } }, /from 0 to 1/)
  refused({ replication: { min: 1, max: 1.5 } }, /from 1 to 1.5/)
  refused({ metadata: { key: 'x'.repeat(64 << 10) } }, /metadata of 65539 bytes/)
})

t.test('two pins that differ in nothing but their time are the same', async t => {
  const pin = pinOf('a', { metadata: { a: '1', b: '2' }, replication: { min: 1, max: 2 }, allocations: [self], origins: ['/x'] })
  const differing: Partial<Pin>[] = [
    { name: 'other' }, { mode: 'direct' }, { expireAtMs: 5 }, { metadata: { a: '1' } }, { replication: { min: 1, max: 3 } },
    { replication: 'everywhere' }, { allocations: [other] }, { allocations: [self, other] }, { origins: [] }, { pinUpdate: cidOf('b') }
  ]

  t.equal(isSamePin({ ...pin, metadata: { b: '2', a: '1' }, timestampMs: 9 }, pin), true)
  for (const change of differing) t.equal(isSamePin({ ...pin, ...change }, pin), false, Object.keys(change).join())
})
