import t from 'tap'
import { cidOf, pinOf, self } from '../../ipfs-compat-tests/harness/pins.ts'
import type { PinsetOp } from '../ports.ts'
import { decodeLogOp, encodeLogOp } from './log-op.ts'

t.test('an entry says the same after it was written and read', async t => {
  const ops: PinsetOp[] = [
    { kind: 'pin', pin: pinOf('a') },
    { kind: 'pin', pin: pinOf('b'), ifRevision: 0n, delivery: 'import 7', ask: { peer: self, id: 2 ** 40 }, unannounced: ['root', 'wait'] },
    { kind: 'unpin', cid: cidOf('c'), ifRevision: 2n ** 40n, asker: self },
    { kind: 'unpin', cid: cidOf('d') }
  ]

  const read = decodeLogOp(encodeLogOp(ops))

  t.strictSame(read.map(op => [op.kind, op.ifRevision, op.kind === 'unpin' ? op.asker : op.delivery]), [['pin', undefined, undefined], ['pin', 0n, 'import 7'], ['unpin', 2n ** 40n, self], ['unpin', undefined, undefined]])
  t.strictSame(read.map(op => op.kind === 'pin' && op.ask), [undefined, { peer: self, id: 2 ** 40 }, false, false])
  t.strictSame(read.map(op => op.kind === 'pin' && op.unannounced), [undefined, ['root', 'wait'], false, false])
  t.ok(encodeLogOp(read).equals(encodeLogOp(ops)))
})

t.test('an entry of another version is refused', async t => {
  t.throws(() => decodeLogOp(Buffer.of(2, 0)), { code: 'ERR_STORAGE', message: /version 2/ })
})
