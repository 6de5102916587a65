import t from 'tap'
import { ByteReader, ByteWriter } from './bytes.ts'
import { decodeMembers, encodeMembers, readMembers } from './members.ts'
import type { Member } from './members.ts'

const one: Member = { id: 1, incarnation: 7, name: 'a', address: '/ip4/10.0.0.1/tcp/9096' }
const two: Member = { id: 2, incarnation: 8, name: 'b', address: '' }

t.test('members are what they were, and so is who drains', async t => {
  t.strictSame(decodeMembers(encodeMembers([one, two])), [one, two])
  t.strictSame(decodeMembers(encodeMembers([one, { ...two, isDraining: true }])), [one, { ...two, isDraining: true }])
  t.strictSame(decodeMembers(new Uint8Array(0)), [])
})

t.test('what an earlier version wrote, which knew of no draining, is read', async t => {
  const bytes = new ByteWriter().varint(1).varint(1).varint(7).text('a').text('/ip4/10.0.0.1/tcp/9096').done()

  t.strictSame(readMembers(new ByteReader(bytes)), [one])
  t.strictSame(encodeMembers([one]), bytes, 'and while nobody drains it reads what is written now')
})

t.test('more members than there are bytes for are refused', async t => {
  t.throws(() => readMembers(new ByteReader(new ByteWriter().varint(2 ** 40).done())))
})
