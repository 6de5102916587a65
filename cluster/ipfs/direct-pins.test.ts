import t from 'tap'
import { cidOf } from '../../ipfs-compat-tests/harness/pins.ts'
import { FakeClock } from '../clock.ts'
import { createDirectPins } from './direct-pins.ts'
import type { DaemonReply } from './requests.ts'

const options = { signal: new AbortController().signal }

/** A daemon with these direct pins; `failing` has its next answer be an error. */
function daemonWith (pinned: string[]) {
  const daemon = { asked: 0, failing: false, clock: new FakeClock() }
  const requests = {
    async post (): Promise<DaemonReply> {
      daemon.asked++
      if (daemon.failing) throw new Error('away')
      const lines = pinned.map(cid => `${JSON.stringify({ Cid: cid, Type: 'direct' })}\n`).join('')
      return { status: 200, headers: {}, body: (async function * () { yield Buffer.from(lines) })(), trailers: () => ({}) }
    }
  }
  return { daemon, direct: createDirectPins({ requests, clock: daemon.clock }, { timeoutMs: 1_000 }) }
}

t.test('many questions share one list, which is asked for again when it is old', async t => {
  const pinned = [cidOf('a').toString()]
  const { daemon, direct } = daemonWith(pinned)

  t.strictSame(await Promise.all(['a', 'b', 'c'].map(async seed => await direct.mayHave(cidOf(seed), options))), [true, false, false])
  t.equal(daemon.asked, 1)
  pinned.push(cidOf('b').toString())
  daemon.clock.advance(101)
  t.equal(await direct.mayHave(cidOf('b'), options), true)
  t.equal(daemon.asked, 2)
})

t.test('where there are many, each may be one, and nobody asks for all of them for a while', async t => {
  const { daemon, direct } = daemonWith(Array.from({ length: 1_001 }, (_, i) => cidOf(i).toString()))

  t.equal(await direct.mayHave(cidOf('none'), options), true)
  daemon.clock.advance(50_000)
  t.equal(await direct.mayHave(cidOf('other'), options), true)
  t.equal(daemon.asked, 1)
  daemon.clock.advance(20_000)
  await direct.mayHave(cidOf('other'), options)
  t.equal(daemon.asked, 2)
})

t.test('a list that cannot be had is asked for again by the next', async t => {
  const { daemon, direct } = daemonWith([])
  daemon.failing = true
  await t.rejects(direct.mayHave(cidOf('a'), options), { message: 'away' })

  daemon.failing = false
  t.equal(await direct.mayHave(cidOf('a'), options), false)
})
