import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import { ClusterError } from '../cluster/api/errors.ts'
import type { ClusterApi } from '../cluster/ports.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { startPeer } from '../ipfs-compat-tests/harness/peer.ts'
import { pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'

const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const empty = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
/** Has its bytes in itself. */
const identity = 'bafkqabtdmftgmzls'

const part = (text: string): string => `--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${text}\r\n`
const twoParts = `${part('one')}${part('two')}--b--\r\n`

function post (socket: Socket, path: string, body = ''): void {
  const type = body === '' ? '' : 'Content-Type: multipart/form-data; boundary=b\r\n'
  socket.write(`POST /api/v0/${path} HTTP/1.1\r\nHost: x\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`)
}

/** Fails from the call after `successes` on. */
function failAfter (cluster: ClusterApi, successes: number): void {
  let calls = 0
  Object.assign(cluster, {
    async pin (...[cid, , call]: Parameters<ClusterApi['pin']>) {
      if (++calls > successes) throw new ClusterError('ERR_NO_LEADER', 'there is no leader')
      const pin = pinOf(0, { cid })
      call.onAgreed?.(pin)
      return pin
    }
  })
}

t.test('beside a daemon', async t => {
  await using daemon = await startDaemon()
  const node = `/ip4/${daemon.host}/tcp/${daemon.port}`

  await t.test('when the cluster fails behind the first lines, the answer has the error in it and is broken off', async t => {
    await using proxy = await proxyAlone(node)
    failAfter(proxy.cluster, 1)
    const socket = proxy.connect()

    post(socket, 'block/put?pin=true', twoParts)
    const text = await readAll(socket)

    t.match(text, /^HTTP\/1\.1 200 OK[^]*\{"Key":"[^"]+","Size":3\}\n[^]*\{"Message":"there is no leader","Code":0,"Type":"error"\}\n/)
    t.notMatch(text, /\r\n0\r\n/, 'no last chunk')
  })

  await t.test('a client that cannot see trailers sees that', async t => {
    await using proxy = await proxyAlone(node)
    failAfter(proxy.cluster, 1)

    const response = await fetch(`http://127.0.0.1:${proxy.port}/api/v0/block/put?pin=true`, { method: 'POST', body: twoParts, headers: { 'content-type': 'multipart/form-data; boundary=b' } })

    await t.rejects(response.text())
  })

  await t.test('when it fails before anything was said, that is an error like any', async t => {
    await using proxy = await proxyAlone(node)
    failAfter(proxy.cluster, 0)

    const response = await fetch(`http://127.0.0.1:${proxy.port}/api/v0/pin/add?arg=${empty}`, { method: 'POST' })

    t.strictSame([response.status, await response.json()], [500, { Message: 'there is no leader', Code: 0, Type: 'error' }])
  })

  await t.test('what the daemon refuses late is in the trailer, as in Kubo', async t => {
    await using proxy = await proxyAlone(node)
    const socket = proxy.connect()

    post(socket, 'dag/put?pin=true', `${part('{"a":1}')}${part('nope')}--b--\r\n`)
    const text = await readAll(socket, text => /X-Stream-Error: .*\r\n\r\n$/.test(text))

    t.match(text, /\{"Cid":\{"\/":"[^"]+"\}\}\n[^]*\r\n0\r\nX-Stream-Error: /)
    socket.destroy()
  })

  await t.test('an update whose time is over once the new pin is held lets go of the old one all the same', async t => {
    await using proxy = await proxyAlone(node)
    const ask = async (path: string): Promise<string> => await (await fetch(`http://127.0.0.1:${proxy.port}/api/v0/${path}`, { method: 'POST' })).text()
    await ask(`pin/add?arg=${empty}`)
    const pin = proxy.cluster.pin.bind(proxy.cluster)
    Object.assign(proxy.cluster, {
      async pin (...args: Parameters<ClusterApi['pin']>) {
        const held = await pin(...args)
        if (!args[2].signal.aborted) await once(args[2].signal, 'abort')
        return held
      }
    })

    t.equal(await ask(`pin/update?arg=${empty}&arg=${identity}&timeout=3s`), `{"Pins":["${empty}","${identity}"]}\n`)

    const pinned = await ask('pin/ls?type=recursive')
    t.strictSame([pinned.includes(empty), pinned.includes(identity)], [false, true])
  })

  await t.test('a client that goes before the pin is logged leaves nothing', async t => {
    await using proxy = await proxyAlone(node)
    let calls = 0
    Object.assign(proxy.cluster, { async pin () { calls++ } })
    const socket = proxy.connect()
    post(socket, `pin/add?arg=/ipfs/${nowhere}/x`)
    await once(socket, 'connect')

    socket.destroy()
    await once(socket, 'close')
    const response = await fetch(`http://127.0.0.1:${proxy.port}/api/v0/pin/ls?type=recursive`, { method: 'POST' })

    t.equal(response.status, 200)
    t.equal(calls, 0)
  })

  await t.test('a client that goes when the pin is held leaves the pin', async t => {
    await using proxy = await proxyAlone(node)
    const socket = proxy.connect()
    const pin = proxy.cluster.pin.bind(proxy.cluster)
    const left = Promise.withResolvers<boolean>()
    Object.assign(proxy.cluster, {
      async pin (...args: Parameters<ClusterApi['pin']>) {
        const held = await pin(...args)
        socket.destroy()
        if (!args[2].signal.aborted) await once(args[2].signal, 'abort')
        left.resolve(true)
        return held
      }
    })

    post(socket, `pin/add?arg=${empty}`)
    await left.promise

    t.equal(await proxy.cluster.state.count(), 1)
  })
})

t.test('a pin whose block is nowhere', async t => {
  await using peer = await startPeer()
  const dial = (): Socket => connect({ port: peer.port, host: peer.host, allowHalfOpen: true })

  await t.test('is waited for with signs of life, and ends in the words of Kubo', async t => {
    const socket = dial()

    post(socket, `pin/add?arg=${nowhere}&progress=true&timeout=5s`)
    const text = await readAll(socket, text => /X-Stream-Error: .*\r\n\r\n$/.test(text))

    t.match(text, /^HTTP\/1\.1 200 OK[^]*\r\n\{\}\n[^]*\r\n0\r\nX-Stream-Error: context deadline exceeded\r\n\r\n$/)
    socket.destroy()
    t.ok(await eventually('the pin is gone', async () => await peer.cluster.state.count() === 0))
  })

  await t.test('is taken back when the client is told that its time is up', async t => {
    const socket = dial()

    post(socket, `pin/add?arg=${nowhere}&timeout=100ms`)
    const text = await readAll(socket, text => text.endsWith('}\n\r\n0\r\n\r\n') || text.endsWith('}\n'))

    t.match(text, /^HTTP\/1\.1 500 [^]*context deadline exceeded/)
    socket.destroy()
    t.equal(await peer.cluster.state.count(), 0)
  })
})
