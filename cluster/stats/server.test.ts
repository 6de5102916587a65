import t from 'tap'
import type { Test } from 'tap'
import { FakeClock } from '../clock.ts'
import { urlOf } from '../config/endpoint.ts'
import { silentLogger } from '../log.ts'
import { statsSection } from './config.ts'
import type { Sample } from './prometheus.ts'
import { createStats } from './server.ts'

interface Opened { readonly clock: FakeClock, ask (path: string, method?: string): Promise<{ readonly status: number, readonly text: string }> }

async function open (t: Test, samples: () => Promise<readonly Sample[]>): Promise<Opened> {
  const clock = new FakeClock()
  const stats = createStats({ samples, clock, log: silentLogger }, statsSection({ prometheus_endpoint: '/ip4/127.0.0.1/tcp/0', reporting_interval: '5s' }, {}))
  await stats.start({ signal: new AbortController().signal })
  t.teardown(() => stats[Symbol.asyncDispose]())
  return {
    clock,
    async ask (path, method = 'GET') {
      const response = await fetch(`${urlOf(stats.address)}${path}`, { method })
      return { status: response.status, text: await response.text() }
    }
  }
}

t.test('numbers are told in the words of Prometheus, counted anew when the interval is over; what is not known is left out', async t => {
  let asked = 0
  const { clock, ask } = await open(t, async () => [{ name: 'asked', help: 'How often.', type: 'counter', value: ++asked }, { name: 'unknown', help: 'x', type: 'gauge', value: undefined }])

  const [first, again] = [await ask('/metrics'), await ask('/metrics')]
  clock.advance(5_000)
  const later = await ask('/metrics')

  t.strictSame(first, { status: 200, text: '# HELP asked How often.\n# TYPE asked counter\nasked 1\n' })
  t.strictSame(again, first)
  t.match(later.text, /^asked 2$/m)
})

t.test('what cannot be counted is an error, and is tried again with the next who asks', async t => {
  let isBroken = true
  const { ask } = await open(t, async () => {
    if (isBroken) throw new Error('the disk is gone')
    return []
  })

  const failed = await ask('/metrics')
  isBroken = false

  t.strictSame(failed, { status: 500, text: 'the disk is gone\n' })
  t.match(await ask('/metrics'), { status: 200 })
})

t.test('there is nothing but /metrics, and that is only read', async t => {
  const { ask } = await open(t, async () => [])

  t.match(await ask('/debug/pprof/'), { status: 404 })
  t.match(await ask('/metrics', 'POST'), { status: 405 })
  t.match(await ask('/metrics?x=1'), { status: 200 })
})
