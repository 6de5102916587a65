/** Twenty peers in one process: who talks with whom. Links are counted and not messages, so that a slow machine changes nothing. */
import t from 'tap'
import { Group } from './testing/group.ts'

const peers = 20

const termsOf = (group: Group): string => [...group.peers.values()].map(({ node }) => node.status().term).join()
const linksOf = (leader: number): string[] => Array.from({ length: peers }, (_, i) => i + 1).filter(id => id !== leader).flatMap(id => [`${leader}>${id}`, `${id}>${leader}`]).sort()

/** Does the work anew until nobody stood for election meanwhile. @returns the leader, and over which links something was sent */
async function withOneLeader (group: Group, work: () => Promise<void>): Promise<{ readonly leader: number, readonly used: readonly string[] }> {
  while (true) {
    const terms = termsOf(group)
    group.network.used.clear()
    await work()
    const [leader] = [...group.peers].find(([, { node }]) => node === group.leader)!
    if (termsOf(group) === terms) return { leader, used: [...group.network.used].sort() }
  }
}

t.test('among twenty peers only the leader is talked with, and one that is lost is followed by another', async t => {
  await using group = await Group.of(peers, { tickMs: 10, electionTicks: 300 })
  let sum = 0

  const { leader, used } = await withOneLeader(group, async () => {
    for (let id = 1; id <= peers; id++) sum = await group.add(id, 'sum', 1)
    sum = Math.max(...await Promise.all(Array.from({ length: 300 }, () => group.add(1, 'sum', 1))))
    await group.until(() => [...group.peers.values()].every(({ machine }) => machine.get('sum') === sum))
  })
  t.strictSame(used, linksOf(leader), 'two links a peer, not one for each two of them')

  group.network.isolate(leader)
  const others = [...group.peers].filter(([id]) => id !== leader)
  await group.until(() => others.some(([, { node }]) => node.status().role === 'leader'))
  sum = await group.add(others[0]![0], 'sum', 1)
  await group.until(() => others.every(([, { machine }]) => machine.get('sum') === sum))
  t.pass('agreed on again')
})
