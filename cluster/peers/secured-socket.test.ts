import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { generateCertificate } from '@libp2p/tls/utils'
import t from 'tap'
import { createIdentity } from '../config/identity.ts'
import { isProof, proofOf } from './secret-proof.ts'
import type { ProvenChannel } from './secret-proof.ts'
import { secureAccepted, secureDialled } from './secured-socket.ts'
import type { Credentials } from './secured-socket.ts'
import { testSecret } from './testing/hosts.ts'

const signal = AbortSignal.timeout(240_000)

async function credentials (secret: Uint8Array = testSecret): Promise<Credentials> {
  const { id, privateKey } = createIdentity()
  const context = createSecureContext({ ...await generateCertificate(privateKeyFromProtobuf(privateKey)), minVersion: 'TLSv1.3' })
  return { self: id, secret, context }
}

/** Both ends of a new connection on loopback. */
async function socketPair (): Promise<readonly [dialled: Socket, accepted: Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dialled = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [[accepted]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(dialled, 'connect')])
  server.close()
  for (const socket of [dialled, accepted]) socket.on('error', () => {})
  t.teardown(() => { for (const socket of [dialled, accepted]) socket.destroy() })
  return [dialled, accepted]
}

/** TLS at the other end, by somebody who then says what `answer` gives. */
async function hostile (raw: Socket, { context }: Credentials, answer: (socket: TLSSocket) => Promise<void>): Promise<void> {
  const socket = new TLSSocket(raw, { isServer: true, secureContext: context, requestCert: true, rejectUnauthorized: false })
  socket.on('error', () => {})
  await once(socket, 'secure')
  await answer(socket)
}

t.test('both ends know each other, and what follows the proofs is whole', async t => {
  const [dialler, listener] = await Promise.all([credentials(), credentials()])
  const [dialled, accepted] = await socketPair()

  const [there, here] = await Promise.all([secureDialled(dialled, dialler, peerIdFromString(listener.self), signal), secureAccepted(accepted, listener, signal)])
  there.socket.write('first')
  const [bytes] = await once(here.socket.resume(), 'data')

  t.equal(there.peer.toString(), listener.self)
  t.equal(here.peer.toString(), dialler.self)
  t.equal(String(bytes), 'first')
})

t.test('a listener that sends our own proof back is not believed', async t => {
  const [dialler, listener] = await Promise.all([credentials(), credentials()])
  const [dialled, accepted] = await socketPair()
  void hostile(accepted, listener, async socket => { socket.on('data', bytes => socket.write(bytes)) })

  await t.rejects(secureDialled(dialled, dialler, undefined, signal), { code: 'ERR_PEER_FAILED', message: /does not know the cluster secret/ })
  t.equal(dialled.destroyed, true)
})

t.test('a listener that answers anything else is not believed, and one that goes is told from it', async t => {
  const [dialler, listener] = await Promise.all([credentials(), credentials()])
  const answers: ReadonlyArray<readonly [(socket: TLSSocket) => void, RegExp]> = [
    [socket => { socket.write(Buffer.alloc(1)); socket.write(Buffer.alloc(31)) }, /does not know the cluster secret/],
    [socket => socket.write(Buffer.alloc(32)), /does not know the cluster secret/],
    [socket => socket.end(Buffer.alloc(31)), /instead of proving the cluster secret/],
    [socket => socket.end(), /instead of proving the cluster secret/]
  ]
  for (const [answer, message] of answers) {
    const [dialled, accepted] = await socketPair()
    void hostile(accepted, listener, async socket => { await once(socket, 'data'); answer(socket) })

    await t.rejects(secureDialled(dialled, dialler, undefined, signal), { code: 'ERR_PEER_FAILED', message })
  }
})

t.test('a proof that was recorded opens nothing on another connection', async t => {
  const [member, thief, target] = await Promise.all([credentials(), credentials(new Uint8Array(32)), credentials()])
  const [dialled, accepted] = await socketPair()
  const recorded = Promise.withResolvers<Buffer>()
  void hostile(accepted, thief, async socket => { socket.once('data', bytes => recorded.resolve(bytes)) })
  void secureDialled(dialled, member, undefined, signal).catch(() => {})
  const proof = await recorded.promise
  const [again, there] = await socketPair()
  const replay = connectTls({ socket: again, secureContext: thief.context, rejectUnauthorized: false })
  replay.on('error', () => {})
  replay.once('secure', () => replay.write(proof))

  await t.rejects(secureAccepted(there, target, signal), { code: 'ERR_PEER_FAILED', message: new RegExp(`${thief.self} does not know the cluster secret`) })
})

t.test('who has no certificate of a peer, or speaks no TLS, is refused', async t => {
  const listener = await credentials()
  for (const speak of [(raw: Socket) => { connectTls({ socket: raw, rejectUnauthorized: false }).on('error', () => {}) }, (raw: Socket) => { raw.end('hello') }]) {
    const [dialled, accepted] = await socketPair()
    speak(dialled)

    await t.rejects(secureAccepted(accepted, listener, signal), { code: 'ERR_PEER_FAILED', message: /^no secured connection: / })
    t.equal(accepted.destroyed, true)
  }
})

t.test('waiting for a proof can be given up', async t => {
  const listener = await credentials()
  const [, accepted] = await socketPair()
  const controller = new AbortController()

  const waiting = secureAccepted(accepted, listener, controller.signal)
  controller.abort(new Error('too slow'))

  await t.rejects(waiting, { code: 'ERR_PEER_FAILED' })
  t.equal(accepted.destroyed, true)
})

t.test('a proof depends on the secret, the side, the connection and both peers', async t => {
  const [a, b] = [createIdentity().id, createIdentity().id]
  const channel: ProvenChannel = { binding: Buffer.alloc(32, 1), dialler: a, listener: b }
  const proof = proofOf(testSecret, 'dialler', channel)

  t.equal(isProof(proof, proofOf(testSecret, 'dialler', { ...channel })), true)
  for (const other of [
    proofOf(new Uint8Array(32), 'dialler', channel), proofOf(testSecret, 'listener', channel), proofOf(testSecret, 'dialler', { ...channel, binding: Buffer.alloc(32, 2) }),
    proofOf(testSecret, 'dialler', { ...channel, dialler: b, listener: a }), proofOf(testSecret, 'dialler', { ...channel, listener: a }), Buffer.alloc(0)
  ]) t.equal(isProof(other, proof), false)
})
