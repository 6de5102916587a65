/** What has to be on disk before a peer says so, looked at from the wire: each time, as if the power went as the message leaves. */
import t from 'tap'
import { FakeClock } from '../../clock.ts'
import type { Message } from './core/types.ts'
import { openLogStorage } from './log-storage.ts'
import { allLost } from './testing/crash-disk.ts'
import type { CrashDisk } from './testing/crash-disk.ts'
import { Group } from './testing/group.ts'

interface Said { readonly from: number, readonly message: Message, readonly disk: CrashDisk }

/** So many are looked at: each takes a copy of a disk. */
const saidMax = 24

/** What peers say of these kinds from now on, and what their disks would have kept. */
function listen (group: Group, types: ReadonlySet<Message['type']>): Said[] {
  const said: Said[] = []
  const { network } = group
  const transport = network.transport.bind(network)
  network.transport = from => {
    const inner = transport(from)
    return {
      ...inner,
      send (to, messages) {
        const disk = group.peers.get(from)?.disk
        for (const message of messages) {
          if (disk !== undefined && types.has(message.type) && said.length < saidMax) said.push({ from, message, disk: disk.afterPowerLoss(allLost) })
        }
        inner.send(to, messages)
      }
    }
  }
  return said
}

async function threePeers (types: ReadonlySet<Message['type']>): Promise<{ readonly group: Group, readonly said: Said[] }> {
  const group = new Group()
  const said = listen(group, types)
  await group.start(1, { found: true })
  await group.until(() => group.node(1).leader() === 1)
  await group.join(2)
  await group.join(3)
  said.length = 0
  return { group, said }
}

function isGrant ({ message }: Said): boolean { return message.type === 'MsgVoteResp' && !message.reject }

async function keptOf ({ disk }: Said): Promise<{ readonly term: number, readonly vote: number, readonly lastIndex: number }> {
  await using storage = await openLogStorage({ folder: '/raft', disk, clock: new FakeClock() })
  const { term, vote } = storage.log.initialState().hard
  return { term, vote, lastIndex: storage.log.lastIndex() }
}

t.test('D1 D5 a candidate asks for votes when its own term and vote are on disk, and who grants one has it on disk', async t => {
  const { group, said } = await threePeers(new Set(['MsgVote', 'MsgVoteResp']))
  await using _ = group

  while (!said.some(isGrant)) {
    said.length = 0
    // Handed over again if it came to nothing, on a machine that was too slow for it.
    for (const { node } of group.peers.values()) await node.transferLeadership(undefined, { signal: group.signal }).catch(() => {})
    await group.until(() => [...group.peers.values()].some(({ node }) => node.status().role === 'leader'))
  }

  for (const each of said) {
    const { from, message: { type, to, term, reject } } = each
    const kept = await keptOf(each)
    t.ok(kept.term >= term, `${from} says ${type} in term ${term}`)
    if (!reject && kept.term === term) t.equal(kept.vote, type === 'MsgVote' ? from : to)
  }
})

t.test('D2 who acknowledges an entry has it on disk', async t => {
  const { group, said } = await threePeers(new Set(['MsgAppResp']))
  await using _ = group

  for (let i = 0; i < 6; i++) await group.add(1 + i % 3, 'sum', 1)

  const promises = said.filter(({ message }) => !message.reject && message.index > 0)
  t.ok(promises.length > 0)
  for (const each of promises) {
    const kept = await keptOf(each)
    t.ok(kept.term >= each.message.term && kept.lastIndex >= each.message.index, `${each.from} acknowledges ${each.message.index}`)
  }
})
