import t from 'tap'
import { decodeHello, encodeHello } from './handshake.ts'
import type { Hello } from './handshake.ts'
import type { Member } from './members.ts'
import { PeerLinks } from './peer-links.ts'
import type { PeerLinksComponents } from './peer-links.ts'

const members: readonly Member[] = [1, 2, 3].map(id => ({ id, incarnation: 10 * id, name: `peer ${id}`, address: '' }))
const [first, second, third] = members as [Member, Member, Member]

/** The links of a peer that nobody can be reached from; the index of the membership that it knows may be set. */
function linksOf ({ id, incarnation, name }: Member): { readonly links: PeerLinks, readonly known: { index: number } } {
  const known = { index: 0 }
  const storage = { identity: { nodeId: id, incarnation, clusterId: 'ours', boot: 1 }, log: { initialState: () => ({ hard: { term: 1 } }), lastIndex: () => 0 } }
  const links = new PeerLinks({
    storage, memory: { seen: () => undefined, async note () {} }, confIndex: () => known.index, acknowledged: () => 0, self: () => ({ name, address: '' }), reach: () => undefined
  } as unknown as PeerLinksComponents)
  return { links, known }
}

/** `list` became the membership with the entry of that index. */
function agree ({ links, known }: ReturnType<typeof linksOf>, index: number, list: readonly Member[]): void {
  known.index = index
  links.useMembers(list)
}

/** As it arrives. */
const hello = (from: ReturnType<typeof linksOf>, to: Member): Hello => decodeHello(encodeHello(from.links.hello(to, 'append')))

t.test('who was taken in by a change that is being written here has not been removed', async t => {
  const [here, joined] = [linksOf(second), linksOf(third)]
  agree(here, 3, [first, second])
  agree(joined, 4, members)

  here.known.index = 5 // the same change, and one behind it

  t.equal(await here.links.letIn(hello(joined, second)), undefined)
})

t.test('who was taken in, and is still reading what was agreed on before, has not been removed', async t => {
  const [here, joining] = [linksOf(second), linksOf(third)]
  agree(here, 6, [first, second])
  agree(joining, 3, [first, second])

  t.equal(await here.links.letIn(hello(joining, second)), undefined)
})

t.test('who is a member by what it knows, and is none any more, is told so', async t => {
  const [here, away] = [linksOf(second), linksOf(third)]
  agree(away, 4, members)
  agree(here, 7, [first, second])

  t.equal(await here.links.letIn(hello(away, second)), 'removed')
})
