import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { CID } from 'multiformats/cid'
import t from 'tap'
import { sha256Cid } from '../adder/leaf-blocks.ts'
import { CallerLeftError } from '../cluster/async/caller-left.ts'
import type { ClusterApi } from '../cluster/ports.ts'
import { wideCar } from '../ipfs-compat-tests/harness/cars.ts'
import { closed } from '../ipfs-compat-tests/harness/closed.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { startPeer } from '../ipfs-compat-tests/harness/peer.ts'
import { multipartOf, uploadBoundary } from '../ipfs-compat-tests/harness/upload.ts'

const { signal } = new AbortController()
const peer = await startPeer()
t.teardown(() => peer[Symbol.asyncDispose]())
const { pin } = peer.cluster

/** Who leaves may be cut off before. */
const dial = (port = peer.port): Socket => connect({ port, host: peer.host, allowHalfOpen: true }).on('error', () => {})
const leaving = { goes: (socket: Socket) => { socket.destroy() }, 'closes its side': (socket: Socket) => { socket.end() } }

function post (socket: Socket, path: string, body: Uint8Array = new Uint8Array(), length = body.byteLength): void {
  const type = length === 0 ? '' : `Content-Type: multipart/form-data; boundary=${uploadBoundary}\r\n`
  socket.write(`POST /api/v0/${path} HTTP/1.1\r\nHost: x\r\n${type}Content-Length: ${length}\r\n\r\n`)
  socket.write(body)
  socket.resume()
}

async function isPinned (cid: CID): Promise<boolean> {
  return (await peer.cluster.status(cid, { signal })).peers.every(({ status }) => status === 'pinned')
}

async function nothingIsPinned (): Promise<boolean> {
  return await peer.cluster.state.count() === 0
}

/**
 * Has a client leave just before its pin is asked for, or when it has just been agreed on, and goes on when that has been noticed.
 *
 * @returns what became of that
 */
async function leftAt (moment: 'before' | 'after', leave: () => void): Promise<unknown> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<unknown>()
  Object.assign(peer.cluster, {
    async pin (...[cid, options, call]: Parameters<ClusterApi['pin']>) {
      Object.assign(peer.cluster, { pin })
      const onAgreed: typeof call.onAgreed = agreed => {
        call.signal.addEventListener('abort', () => call.onAgreed?.(agreed))
        leave()
      }
      if (moment === 'before') {
        leave()
        if (!call.signal.aborted) await once(call.signal, 'abort')
      }
      const pinning = pin(cid, options, moment === 'before' ? call : { ...call, onAgreed })
      pinning.then(resolve, reject)
      return await pinning
    }
  })
  return await ended
}

for (const [how, leave] of Object.entries(leaving)) {
  t.test(`a pin that is waited for stays when the client ${how}, and is carried out`, async t => {
    const content = `wanted by a client that ${how}`
    const cid = sha256Cid(1, 0x55, Buffer.from(content))
    const socket = dial()
    post(socket, `pin/add?arg=${cid.toString()}&name=left`)
    await eventually('the pin is agreed on', async () => await peer.cluster.state.get(cid) !== undefined)

    leave(socket)
    await closed(socket)
    post(dial(peer.daemon.port), 'block/put?cid-codec=raw', multipartOf([{ body: content }]))

    t.ok(await eventually('it is pinned', async () => await isPinned(cid)))
    t.match((await peer.cluster.state.get(cid))?.pin, { name: 'left' })
    await peer.cluster.unpin(cid, { signal })
  })
}

t.test('a client that closes its side while it waits for a pin is told so as in Kubo', async t => {
  const told = { 'pin/add?': /^HTTP\/1\.1 500 [^]*"Message":"pin: context canceled"/, 'pin/add?progress=true&': /^HTTP\/1\.1 200 [^]*X-Stream-Error: context canceled\r\n/ }
  for (const [command, answer] of Object.entries(told)) {
    const cid = sha256Cid(1, 0x55, Buffer.from(`waited for by ${command}`))
    const socket = dial()
    let heard = ''
    socket.setEncoding('latin1').on('data', (text: string) => { heard += text })
    post(socket, `${command}arg=${cid.toString()}`)
    await eventually('the pin is agreed on', async () => await peer.cluster.state.get(cid) !== undefined)
    if (command.includes('progress')) await eventually('the answer has begun', () => heard !== '')

    socket.end()
    await closed(socket)

    t.match(heard, answer)
    await peer.cluster.unpin(cid, { signal })
  }
})

t.test('of an upload whose client goes in the middle nothing is pinned', async t => {
  const half = multipartOf([{ body: 'half of a file' }])
  for (const command of ['add', 'dag/import', 'block/put?pin=true', 'dag/put?pin=true']) {
    const socket = dial()
    post(socket, command, half.subarray(0, -8), half.length + 10_000)
    await once(socket, 'connect')

    socket.destroy()
    await once(socket, 'close')
  }

  t.ok(await nothingIsPinned())
})

const car = wideCar(3)
const uploads: ReadonlyArray<readonly [command: string, body: Uint8Array]> = [
  ['add?raw-leaves=true', multipartOf([{ body: 'a file' }])],
  ['add?pin-name=named', multipartOf([{ body: 'a file with a name' }])],
  ['dag/import', multipartOf([{ body: Buffer.concat(car.pieces) }])],
  ['block/put?pin=true', multipartOf([{ body: 'a block' }])],
  ['dag/put?pin=true', multipartOf([{ body: '{"a":"node"}' }])]
]

for (const [command, body] of uploads) {
  t.test(`${command}: a client that goes before the pin is agreed on leaves none`, async t => {
    const socket = dial()
    const asked = leftAt('before', () => { socket.destroy() })

    post(socket, command, body)

    await t.rejects(asked, CallerLeftError)
    t.ok(await nothingIsPinned())
  })

  t.test(`${command}: once it is agreed on, the pin stays and is carried out`, async t => {
    const socket = dial()
    const asked = leftAt('after', () => { socket.destroy() })

    post(socket, command, body)

    await asked
    const [left] = await Array.fromAsync(peer.cluster.state.list({ signal }))
    t.ok(await isPinned(left!.cid))
    await peer.cluster.unpin(left!.cid, { signal })
  })
}
