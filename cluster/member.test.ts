import t from 'tap'
import { other, self } from '../ipfs-compat-tests/harness/pins.ts'
import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import type { Logger } from './log.ts'
import { silentLogger } from './log.ts'
import { createMember } from './member.ts'
import type { MemberComponents } from './member.ts'
import type { PeerAddresses } from './peer-ports.ts'

const never = { signal: new AbortController().signal }

function arrange ({ addresses = ['/a'] as readonly string[], leaves = false, removing = async (): Promise<void> => {}, failures = 0 } = {}) {
  const clock = new FakeClock()
  let members: readonly PeerAddresses[] = [{ peer: self, addresses: ['/a'] }, { peer: other, addresses: ['/b'] }]
  let changed = (): void => {}
  const done: string[] = []
  const membership: MemberComponents['membership'] = {
    members: () => members,
    async readdress (to) {
      if (failures-- > 0) throw new ClusterError('ERR_PEER_FAILED', 'the leader has just gone')
      done.push(`readdress ${to.join()}`)
    },
    async remove (peer) {
      await removing()
      done.push(`remove ${peer === self ? 'self' : 'other'}`)
    },
    watch (tell) {
      changed = tell
      tell()
      return { [Symbol.dispose] () { done.push('unwatch') } }
    }
  }
  const log: Logger = { ...silentLogger, error: message => { done.push(message) } }
  const member = createMember({
    self, membership, clock, log,
    consensus: { peerset: () => members.map(({ peer }) => peer) },
    bootstrap: { keep (peers: readonly PeerId[]) { done.push(`keep ${peers.length}`) } },
    addresses: () => addresses,
    learn (peer, at) { if (peer !== self) done.push(`learn ${at.join()}`) }
  }, { leaves })
  return { member, clock, done, become (now: readonly PeerAddresses[]) { members = now; changed() } }
}

t.test('a member stays connected with all others, also with those that come later', async t => {
  const { member, done, become } = arrange()

  await member.start(never)
  become([{ peer: self, addresses: ['/a'] }, { peer: other, addresses: ['/c'] }])

  t.strictSame(done, ['learn /b', 'keep 2', 'learn /c', 'keep 2'])
  await member[Symbol.asyncDispose]()
})

t.test('who is reached elsewhere than the membership says has that changed; who is not says nothing', async t => {
  const moved = arrange({ addresses: ['/elsewhere'] })
  const still = arrange({ addresses: ['/a'] })

  for (const { member } of [moved, still]) {
    await member.start(never)
    await member[Symbol.asyncDispose]()
  }

  t.ok(moved.done.includes('readdress /elsewhere'))
  t.notOk(still.done.some(one => one.startsWith('readdress')))
})

t.test('who is reached elsewhere while it runs says so at the next look, and without any address nothing', async t => {
  const addresses = ['/a']
  const { member, clock, done, become } = arrange({ addresses })
  await member.start(never)
  async function look (): Promise<void> {
    await new Promise(setImmediate)
    clock.advance(5_000)
    await new Promise(setImmediate)
  }

  await look()
  addresses.splice(0, 1, '/a', '/new')
  await look()
  become([{ peer: self, addresses: ['/new', '/a'] }, { peer: other, addresses: ['/b'] }])
  await look()
  addresses.splice(0)
  await look()

  t.strictSame(done.filter(one => one.startsWith('readdress')), ['readdress /a,/new'])
  await member[Symbol.asyncDispose]()
})

t.test('what the others could not be told is tried again until they know', async t => {
  const { member, clock, done } = arrange({ addresses: ['/elsewhere'], failures: 2 })
  await member.start(never)
  await new Promise(setImmediate)

  for (let i = 0; i < 2; i++) {
    t.notOk(done.includes('readdress /elsewhere'))
    clock.advance(5_000)
    await new Promise(setImmediate)
  }

  t.ok(done.includes('readdress /elsewhere'))
  await member[Symbol.asyncDispose]()
})

t.test('a peer leaves when it is stopped only if that is wished, and never as the last', async t => {
  const [leaving, staying, last] = [arrange({ leaves: true }), arrange(), arrange({ leaves: true })]
  for (const { member } of [leaving, staying, last]) await member.start(never)
  last.become([{ peer: self, addresses: ['/a'] }])

  for (const { member } of [leaving, staying, last]) await member[Symbol.asyncDispose]()

  t.strictSame([leaving, staying, last].map(({ done }) => done.includes('remove self')), [true, false, false])
})

t.test('a peer that cannot leave stops all the same, and says what is left to do', async t => {
  const { member, done } = arrange({ leaves: true, removing: async () => { throw new ClusterError('ERR_NO_LEADER', 'nobody leads') } })
  await member.start(never)

  await member[Symbol.asyncDispose]()

  t.match(done.at(-1), 'remove it there with: ipfs-cluster-ctl peers rm')
})
