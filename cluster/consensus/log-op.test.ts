import t from 'tap'
import { cidOf, pinOf } from '../../ipfs-compat-tests/harness/pins.ts'
import type { PinsetOp } from '../ports.ts'
import { decodeLogOp, encodeLogOp } from './log-op.ts'

t.test('an entry says the same after it was written and read', async t => {
  const ops: PinsetOp[] = [
    { kind: 'pin', pin: pinOf('a') },
    { kind: 'pin', pin: pinOf('b'), ifRevision: 0n },
    { kind: 'unpin', cid: cidOf('c'), ifRevision: 2n ** 40n, asked: true },
    { kind: 'unpin', cid: cidOf('d') }
  ]

  const read = decodeLogOp(encodeLogOp(ops))

  t.strictSame(read.map(op => [op.kind, op.ifRevision, op.kind === 'unpin' && op.asked]), [['pin', undefined, false], ['pin', 0n, false], ['unpin', 2n ** 40n, true], ['unpin', undefined, undefined]])
  t.ok(encodeLogOp(read).equals(encodeLogOp(ops)))
})

t.test('an entry of another version is refused', async t => {
  t.throws(() => decodeLogOp(Buffer.of(2, 0)), { code: 'ERR_STORAGE', message: /version 2/ })
})
