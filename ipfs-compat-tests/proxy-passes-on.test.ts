/** The proxy in front of a daemon that plays the recordings: what passes through comes out as it went in, whatever any daemon would answer. */
import t from 'tap'
import { matchCommand } from '../proxy/match-command.ts'
import { createRoutes } from '../proxy/routes.ts'
import type { CommandComponents } from '../proxy/routes.ts'
import { proxyAlone } from './harness/proxy-alone.ts'
import { loadGroups } from './harness/recordings/recording.ts'
import type { RecordedCase } from './harness/recordings/recording.ts'
import { replayGroup } from './harness/recordings/replay.ts'
import { startReplayingDaemon } from './harness/replaying-daemon.ts'
import { rpcResponse } from './harness/rpc.ts'

const groups = await loadGroups()
const skip = groups.length === 0 && 'the recordings are not beside this repository'
const unknown = (call: string): string => `no recording knows POST /api/v0/${call} HTTP/1.1`
const own = createRoutes({} as CommandComponents, { pinWait: 'commit' })
/** `OPTIONS *` is a question to the server itself, whichever it is. */
const passesThrough = ({ request: { method, path } }: RecordedCase): boolean => path !== '*' && (method !== 'POST' || matchCommand(own, path) === undefined)

t.setTimeout(1_800_000)

t.test('a daemon that replays answers as recorded, each answer once, and refuses loudly what no recording knows', { skip }, async t => {
  for (const group of groups.filter(({ group }) => ['cors-configured', 'streaming'].includes(group))) {
    await using daemon = await startReplayingDaemon(group)
    const first = { ...daemon.group, cases: daemon.group.cases.slice(0, 1) }

    const wrong = (await replayGroup(daemon.group, daemon)).filter(({ isExact }) => !isExact)
    const [again] = await replayGroup(first, daemon)
    const strange = await rpcResponse(daemon, 'nonsense?arg=1')

    t.strictSame(wrong, [], group.group)
    t.equal(again?.isExact, false, 'asked more often than recorded')
    t.equal(strange.status, 500)
    t.equal(await strange.text(), unknown('nonsense?arg=1'))
    t.strictSame(daemon.strangers, [unknown(first.cases[0]!.request.path.replace('/api/v0/', '')), unknown('nonsense?arg=1')])
  }
})

t.test('what passes through the proxy comes out as recorded', { skip }, async t => {
  // The question by which the proxy learns at its start that the daemon is not itself is no recording's.
  let count = 0
  for (const group of groups) {
    await using daemon = await startReplayingDaemon({ ...group, cases: group.cases.filter(passesThrough) })
    await using proxy = await proxyAlone(daemon.multiaddr)

    const results = await replayGroup(daemon.group, { host: '127.0.0.1', port: proxy.port, values: { ...daemon.values, API_PORT: String(proxy.port) } })

    t.strictSame(results.filter(({ isExact }) => !isExact), [], group.group)
    t.strictSame(daemon.strangers, [unknown('version?encoding=__probe__')], `${group.group}: the daemon was asked what was asked, and nothing twice`)
    count += results.length
  }
  t.ok(count > 450, `${count} recordings`)
})
