import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, TLSSocket } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { PeerId as Libp2pPeerId } from '@libp2p/interface'
import { verifyPeerCertificate } from '@libp2p/tls/utils'
import { ClusterError, OtherSecretError, OwnIdentityError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import { abortable } from '../async/abortable.ts'
import { reasonOf } from './reason.ts'
import { isProof, proofBytes, proofOf } from './secret-proof.ts'

/** What a peer shows and asks of others before a byte of any protocol. */
export interface Credentials {
  readonly self: PeerId
  readonly secret: Uint8Array
  /** With the certificate that names this peer, as libp2p's TLS specification has it. */
  readonly context: SecureContext
}

export interface SecuredSocket {
  readonly socket: TLSSocket
  readonly peer: Libp2pPeerId
}

const bindingLabel = 'EXPORTER-ipfs-quorum-secret'

/**
 * TLS 1.3 over a connection we made; then both sides prove the cluster secret, we first: who only listens in on strangers learns nothing
 * of ours that is of use elsewhere, and who dials us learns nothing at all.
 *
 * @param expected whom the address names, if it names anybody
 * @throws ClusterError ERR_PEER_FAILED; the socket is destroyed
 */
export async function secureDialled (raw: Socket, { self, secret, context }: Credentials, expected: Libp2pPeerId | undefined, signal: AbortSignal): Promise<SecuredSocket> {
  const socket = connect({ socket: raw, secureContext: context, rejectUnauthorized: false })
  return await orDestroy(socket, signal, async () => {
    const peer = await peerBehind(socket, expected, signal)
    const channel = { binding: bindingOf(socket), dialler: self, listener: idOf(peer) }
    socket.write(proofOf(secret, 'dialler', channel))
    const answer = await readExactly(socket, proofBytes, signal)
    if (idOf(peer) === self) throw new OwnIdentityError(self) // only now, so that the other side can see it too
    if (answer === undefined) throw new OtherSecretError(`${expected === undefined ? idOf(peer) : 'it'} closed the connection instead of proving the cluster secret: its secret is another one`)
    if (!isProof(answer, proofOf(secret, 'listener', channel))) throw strangerError(peer)
    return { socket, peer }
  })
}

/** The other end of it. @throws ClusterError ERR_PEER_FAILED; the socket is destroyed */
export async function secureAccepted (raw: Socket, { self, secret, context }: Credentials, signal: AbortSignal): Promise<SecuredSocket> {
  const socket = new TLSSocket(raw, { isServer: true, secureContext: context, requestCert: true, rejectUnauthorized: false })
  return await orDestroy(socket, signal, async () => {
    const peer = await peerBehind(socket, undefined, signal)
    if (idOf(peer) === self) throw new OwnIdentityError(self)
    const channel = { binding: bindingOf(socket), dialler: idOf(peer), listener: self }
    const said = await readExactly(socket, proofBytes, signal)
    if (said === undefined || !isProof(said, proofOf(secret, 'dialler', channel))) throw strangerError(peer)
    socket.write(proofOf(secret, 'listener', channel))
    return { socket, peer }
  })
}

async function orDestroy (socket: TLSSocket, signal: AbortSignal, work: () => Promise<SecuredSocket>): Promise<SecuredSocket> {
  const onAbort = (): void => { socket.destroy(signal.reason) }
  const onError = (): void => {} // told by who waits
  socket.on('error', onError)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    return await work()
  } catch (err) {
    socket.destroy()
    throw err instanceof ClusterError ? err : new ClusterError('ERR_PEER_FAILED', `no secured connection: ${reasonOf(err)}`, { cause: err })
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function peerBehind (socket: TLSSocket, expected: Libp2pPeerId | undefined, signal: AbortSignal): Promise<Libp2pPeerId> {
  await once(socket, 'secure', { signal })
  const { raw } = socket.getPeerCertificate()
  if (raw === undefined || socket.getProtocol() !== 'TLSv1.3') throw new Error('the other side shows no certificate')
  return await verifyPeerCertificate(raw, expected)
}

function bindingOf (socket: TLSSocket): Uint8Array {
  return socket.exportKeyingMaterial(32, bindingLabel, Buffer.alloc(0))
}

/** Reads so much and no more: what follows belongs to who comes next. Undefined when the socket ends before. */
async function readExactly (socket: TLSSocket, bytes: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const whole = Promise.withResolvers<Uint8Array | undefined>()
  let held = Buffer.alloc(0)
  const onData = (more: Buffer): void => {
    held = Buffer.concat([held, more])
    if (held.byteLength < bytes) return
    socket.pause()
    socket.off('data', onData)
    if (held.byteLength > bytes) socket.unshift(held.subarray(bytes))
    whole.resolve(held.subarray(0, bytes))
  }
  const onEnd = (): void => { whole.resolve(undefined) }
  if (socket.destroyed || socket.readableEnded) onEnd()
  socket.on('data', onData).on('end', onEnd).on('close', onEnd)
  try {
    return await abortable(whole.promise, signal)
  } finally {
    socket.off('data', onData).off('end', onEnd).off('close', onEnd)
  }
}

const idOf = (peer: Libp2pPeerId): PeerId => peer.toString() as PeerId
const strangerError = (peer: Libp2pPeerId): ClusterError => new ClusterError('ERR_PEER_FAILED', `${idOf(peer)} does not know the cluster secret`)
