import t from 'tap'
import { ByteReader, ByteWriter } from './bytes.ts'
import { decodeRoster, encodeRoster, readRoster } from './members.ts'
import type { Member, Roster } from './members.ts'

const one: Member = { id: 1, incarnation: 7, name: 'a', address: '/ip4/10.0.0.1/tcp/9096' }
const two: Member = { id: 2, incarnation: 8, name: 'b', address: '' }

t.test('members are what they were, and so is who drains, who only stores and who is trusted', async t => {
  const rosters: readonly Roster[] = [
    { members: [one, two] },
    { members: [one, { ...two, isDraining: true }] },
    { members: [one, { ...two, storesOnly: true }] },
    { members: [one, two], trusted: ['a', 'not yet a member'] },
    { members: [{ ...one, isDraining: true }, { ...two, isDraining: true, storesOnly: true }], trusted: ['a'] }
  ]

  for (const roster of rosters) t.strictSame(decodeRoster(encodeRoster(roster)), roster)
  t.strictSame(decodeRoster(new Uint8Array(0)), { members: [] })
})

t.test('what an earlier version wrote, which knew of no draining, is read', async t => {
  const bytes = new ByteWriter().varint(1).varint(1).varint(7).text('a').text('/ip4/10.0.0.1/tcp/9096').done()

  t.strictSame(readRoster(new ByteReader(bytes)), { members: [one] })
  t.strictSame(encodeRoster({ members: [one] }), bytes, 'and while nobody drains it reads what is written now')
})

t.test('more members than there are bytes for are refused', async t => {
  t.throws(() => readRoster(new ByteReader(new ByteWriter().varint(2 ** 40).done())))
})
