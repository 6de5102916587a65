import t from 'tap'
import { FakeClock } from '../clock.ts'
import type { Engine } from './engine.ts'
import { refusalText } from './raft/handshake.ts'
import { createRemovalWatch } from './removal-watch.ts'

const nodeId = 7

function arrange ({ refused = undefined as string | undefined, isMember = true } = {}) {
  const clock = new FakeClock()
  const heard: string[] = []
  const seen = { refused, isMember }
  const engine = {
    identity: { nodeId, incarnation: 1 },
    node: { bookkeeping: () => ({ conf: { voters: seen.isMember ? [nodeId, 8] : [8], learners: [], votersOutgoing: [] } }) },
    transport: { status: () => [{ id: 8, connected: true, queuedBytes: 0, refused: seen.refused }] }
  } as unknown as Engine
  const watch = createRemovalWatch({ clock, removed: () => { heard.push('removed') }, unfit: ({ message }) => { heard.push(message) } })
  watch.watch(engine)
  return { clock, heard, seen, watch }
}

t.test('a peer that was a member and is none any more has been removed, and hears of it once', async t => {
  const { clock, heard, seen } = arrange()
  clock.advance(1_000)

  seen.isMember = false
  clock.advance(5_000)

  t.strictSame(heard, ['removed'])
})

t.test('a peer that is removed before anybody has looked notices it all the same', async t => {
  const { clock, heard, watch } = arrange({ isMember: false })

  watch.joined()
  clock.advance(1_000)

  t.strictSame(heard, ['removed'])
})

t.test('a peer that is not yet a member has not been removed', async t => {
  const { clock, heard } = arrange({ isMember: false })

  clock.advance(5_000)

  t.strictSame(heard, [])
})

t.test('a peer that was away when it was removed learns it from the others', async t => {
  const { clock, heard } = arrange({ refused: refusalText.removed })

  clock.advance(1_000)

  t.strictSame(heard, ['removed'])
})

t.test('a peer whose folder the others know to be a copy, old or broken must not go on', async t => {
  for (const refusal of ['older-copy', 'second-process', 'lost-log', 'other-incarnation'] as const) {
    const { clock, heard } = arrange({ refused: refusalText[refusal] })

    clock.advance(5_000)

    t.strictSame(heard, [`another member refuses this peer: ${refusalText[refusal]}`])
  }
})

t.test('a refusal that may pass by itself is no reason to stop, and nobody looks after the end', async t => {
  const { clock, heard, seen, watch } = arrange({ refused: refusalText['not-me'] })
  clock.advance(3_000)

  watch[Symbol.dispose]()
  seen.refused = refusalText.removed
  clock.advance(3_000)

  t.strictSame(heard, [])
})
