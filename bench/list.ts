import { exchange } from './call.ts'
import { amongOnly, startClusterContest } from './cluster/contest.ts'
import { fill } from './cluster/filled.ts'
import { compare, secondsOf } from './harness.ts'

const pins = 20_000

/** Where all pins stand, on all peers: `GET /pins`, read to its end. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await startClusterContest(args, 7)
  const compared = amongOnly(contest, 'against', 'peer')
  for (const side of compared.among) await fill(side, pins)
  await compare(compared, {
    title: `GET /pins of ${pins.toLocaleString('en')} pins`,
    rounds: contest.rounds,
    measured: { 'to its end': { unit: 's', goals: { itself: { atMost: 0.4 }, against: { atMost: 0.4 / 1.9 } } } },
    round: async ({ name, rest }) => {
      let lines = 0
      const seconds = await secondsOf(async () => { await exchange(rest!, { method: 'GET', path: '/pins', onData: chunk => { for (const byte of chunk) if (byte === newline) lines++ } }) })
      if (lines < pins) throw new Error(`${name} told of ${lines} pins`)
      return { 'to its end': seconds }
    }
  })
}

const newline = 10
