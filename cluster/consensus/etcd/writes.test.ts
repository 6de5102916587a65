import t from 'tap'
import { cidOf, other, pinOf, self } from '../../../ipfs-compat-tests/harness/pins.ts'
import { encodePin } from '../../api/pin-bytes.ts'
import type { PinsetOp } from '../../ports.ts'
import { keysUnder } from './keys.ts'
import { encodeNote, entryOf } from './notes.ts'
import { toWire } from './wire.ts'
import type { WatchEvent } from './wire.ts'
import { createWrite, opsMaxOf, takeTogether } from './writes.ts'
import type { Write } from './writes.ts'

const keys = keysUnder('/test')
const maxTxnOps = 128
const pin = (seed: string | number, more: { readonly text?: string } = {}): PinsetOp => ({ kind: 'pin', pin: pinOf(seed, { metadata: more as Record<string, string> }) })
const write = (...ops: readonly PinsetOp[]): Write => createWrite(ops, keys, maxTxnOps)
const unreadable = (): void => { throw new Error('nothing here is unreadable') }

t.test('writes that wait share a transaction as far as etcd allows: with those in it and the longest, not more than so many operations', async t => {
  const waiting = Array.from({ length: 200 }, (_, i) => write(pin(i)))

  const first = takeTogether(waiting, maxTxnOps)

  t.equal(first.length, 125, '125 of them, the mark of who writes, and a pin and its note in each')
  t.equal(waiting.length, 75)
  t.equal(takeTogether([write(...Array.from({ length: 100 }, (_, i) => pin(`long ${i}`))), ...waiting], maxTxnOps).length, 26)
})

t.test('what changes the same pin waits for the next transaction, and so does all behind it', async t => {
  const waiting = [write(pin('a')), write(pin('b')), write(pin('a')), write(pin('c'))]

  t.equal(takeTogether(waiting, maxTxnOps).length, 2)
  t.equal(takeTogether(waiting, maxTxnOps).length, 2)
})

t.test('together they are not longer than a request may be, and one that is alone is refused when it is', async t => {
  const large = (seed: string): Write => write(pin(seed, { text: 'x'.repeat(400_000) }))

  t.equal(takeTogether([large('a'), large('b'), large('c')], maxTxnOps).length, 1)
  t.throws(() => write(pin('a', { text: 'x'.repeat(1 << 20) })), { code: 'ERR_INVALID_ARGUMENT', message: /too large/ })
  t.throws(() => write(...Array.from({ length: opsMaxOf(maxTxnOps) + 1 }, (_, i) => pin(i))), { code: 'ERR_INVALID_ARGUMENT', message: /takes 125/ })
  t.throws(() => write(pin('a'), { kind: 'unpin', cid: cidOf('a') }), { code: 'ERR_INVALID_ARGUMENT', message: /twice/ })
})

t.test('what happened at one revision is the entry that was written, in its order, with all that it says besides', async t => {
  const first: PinsetOp[] = [{ kind: 'unpin', cid: cidOf('never there'), asker: self }, { kind: 'pin', pin: pinOf('b'), delivery: 'd', ask: { peer: other, id: 7 }, unannounced: ['dag', 'wait'] }]
  const second: PinsetOp[] = [{ kind: 'pin', pin: pinOf('a') }, { kind: 'unpin', cid: cidOf('c') }]
  const at = (key: string, value?: string): WatchEvent => value === undefined ? { type: 'DELETE', kv: { key, mod_revision: '9' } } : { kv: { key, value, mod_revision: '9' } }

  const entry = entryOf([
    at(keys.pin(cidOf('a')), toWire(encodePin(pinOf('a')))), at(keys.note(1), toWire(encodeNote(second))), at(keys.pin(cidOf('c'))),
    at(keys.pin(cidOf('b')), toWire(encodePin(pinOf('b')))), at(keys.note(0), toWire(encodeNote(first))), at(keys.writer(self), toWire('mark'))
  ], keys, unreadable)

  t.equal(entry?.index, 9n)
  t.strictSame(entry?.ops.map(op => op.kind === 'pin' ? [op.pin.name, op.delivery, op.ask, op.unannounced] : [op.cid.toString(), op.asker]), [
    [cidOf('never there').toString(), self], ['pin b', 'd', { peer: other, id: 7 }, ['dag', 'wait']], ['pin a', undefined, undefined, undefined], [cidOf('c').toString(), undefined]
  ])
})

t.test('what somebody changes by hand counts, what is no pin is left out and told, and what is about peers is no entry', async t => {
  const told: string[] = []
  const byHand = { kv: { key: keys.pin(cidOf('a')), value: toWire(encodePin(pinOf('a'))), mod_revision: '3' } }
  const nonsense = { kv: { key: keys.pin(cidOf('b')), value: toWire('nonsense'), mod_revision: '3' } }

  t.match(entryOf([byHand, nonsense], keys, cid => { told.push(cid.toString()) }), { index: 3n, ops: [{ kind: 'pin', pin: { name: 'pin a' } }] })
  t.strictSame(told, [cidOf('b').toString()])
  t.equal(entryOf([{ kv: { key: keys.peer(self), value: '', mod_revision: '4' } }], keys, unreadable), undefined)
})
