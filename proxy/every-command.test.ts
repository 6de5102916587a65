import { connect } from 'node:net'
import t from 'tap'
import { parseEndpoint } from '../cluster/config/endpoint.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import type { ProxyAlone } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import { commandRules } from './command-rules.ts'
import { knownCommands } from './kubo-commands.ts'
import { createRoutes } from './routes.ts'
import type { CommandComponents } from './routes.ts'

const ours = new Set(createRoutes({} as CommandComponents, { pinWait: 'min' }).keys())
const answer = 'HTTP/1.1 200 OK\r\nX-Of-The-Daemon: 1\r\nContent-Length: 4\r\n\r\ndone'
const targetOf = (path: string): string => `/api/v0/${path}?arg=bafkqaaa&pin=true&mark=${path.replaceAll('/', '-')}`
const isOffLoopback = commandRules({ listenMultiaddress: [parseEndpoint('/ip4/0.0.0.0/tcp/9095')], allow: undefined, deny: undefined })

/** One after the other over one connection, as a client that keeps it does; `headers` decides the lane. */
async function askAll (proxy: ProxyAlone, paths: readonly string[], headers: string): Promise<readonly string[]> {
  const answers: string[] = []
  for (const path of paths) {
    const client = proxy.connect()
    client.write(`POST ${targetOf(path)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`)
    answers.push(await readAll(client))
  }
  return answers
}
const asked = (heads: readonly string[]): readonly (string | undefined)[] => heads.filter(head => head.includes('mark=')).map(head => head.split(' ')[1])

t.test('a command that is not ours reaches the daemon as it was asked, and its answer reaches the client', async t => {
  const others = [...knownCommands.keys()].filter(path => !ours.has(path))
  for (const [lane, headers] of [['the fast lane', ''], ['HTTP', 'TE: trailers\r\n']] as const) {
    await using daemon = await scriptedDaemon(socket => socket.end(answer))
    await using proxy = await proxyAlone(daemon.multiaddr)

    const answers = await askAll(proxy, others, headers)

    t.strictSame(asked(daemon.heads), others.map(targetOf), lane)
    t.strictSame(answers.filter(text => !/^HTTP\/1\.1 200 OK\r\nX-Of-The-Daemon: 1\r\n[^]*done$/.test(text)), [])
  }
})

t.test('a command of ours does not', async t => {
  const admitted = 'invalid encoding: __probe__\n'
  await using daemon = await scriptedDaemon((socket, head) => socket.end(head.includes('__probe__') ? `HTTP/1.1 400 Bad Request\r\nContent-Length: ${admitted.length}\r\n\r\n${admitted}` : answer))
  await using proxy = await proxyAlone(daemon.multiaddr)

  await askAll(proxy, [...ours], '')

  t.strictSame(asked(daemon.heads).filter(target => !target!.includes('__probe__')), [])
})

t.test('off loopback the daemon hears of no command that is refused there, and of all others', async t => {
  const all = [...knownCommands.keys()].filter(path => !ours.has(path))
  const isRefused = (path: string): boolean => isOffLoopback.refuses(`/api/v0/${path}`)
  await using daemon = await scriptedDaemon(socket => socket.end(answer))
  await using proxy = await proxyAlone(daemon.multiaddr, { listen_multiaddress: '/ip4/0.0.0.0/tcp/0' })

  const answers = await askAll(proxy, all, '')

  t.strictSame(asked(daemon.heads), all.filter(path => !isRefused(path)).map(targetOf))
  t.strictSame(all.filter((_, i) => answers[i]!.startsWith('HTTP/1.1 403 Forbidden\r\n')), all.filter(isRefused))
})

t.test('what Kubo serves on its command line alone is asked of the daemon, which knows no such path', async t => {
  await using daemon = await startDaemon()
  await using proxy = await proxyAlone(`/ip4/${daemon.host}/tcp/${daemon.port}`)
  const local = [...knownCommands.values()].filter(({ marks }) => marks.has('local')).map(({ path }) => path)

  for (const path of local) {
    const [answers] = await askAll(proxy, [path], '')
    const client = connect({ host: daemon.host, port: daemon.port })
    client.write(`POST ${targetOf(path)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)

    t.match(answers, /^HTTP\/1\.1 404 Not Found[^]*404 page not found\n$/, path)
    t.equal(answers!.replace(/Date: .*/, ''), (await readAll(client)).replace(/Date: .*/, ''), path)
  }
})
