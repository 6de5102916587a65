import type { IncomingMessage } from 'node:http'
import { parsePeerId } from '../api/peer-id.ts'
import type { PeerId } from '../api/pin.ts'
import { linesAnswer, nothing, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { idToJson } from './answers.ts'
import { RefusedError } from './rest-error.ts'
import type { RestCall } from './routes.ts'

const bodyBytesMax = 4_096

export async function thisPeer ({ cluster, signal }: RestCall): Promise<Answer> {
  return valueAnswer(idToJson(await cluster.id({ signal })))
}

export function listPeers ({ cluster, signal }: RestCall): Answer {
  async function * ids (): AsyncGenerator<object> {
    for await (const id of cluster.peers({ signal })) yield idToJson(id)
  }
  return linesAnswer(ids())
}

/**
 * `POST /peers {"peer_id": …}`: in ipfs-cluster it makes a peer a voter that somebody is about to start. Here a peer joins by itself, with
 * its addresses and its log's identity, so a member is answered as it is, and of any other it is said how it joins.
 */
export async function addPeer ({ cluster, request, signal }: RestCall): Promise<Answer> {
  const peer = peerIn(await bodyText(request))
  for await (const id of cluster.peers({ signal })) if (id.id === peer) return valueAnswer(idToJson(id))
  const { addresses } = await cluster.id({ signal })
  throw new RefusedError(400, `${peer} is not a member of this cluster. A peer joins by itself: start it with the same secret and: ipfs-cluster-service daemon --bootstrap ${addresses[0] ?? '<address of a member>'}`)
}

/** `DELETE /peers/{id}`: answered once it is agreed on. */
export async function removePeer ({ overview, params, signal }: RestCall): Promise<Answer> {
  await overview.remove(peerFrom(params['peer']!, 'error decoding Peer ID'), { signal })
  return nothing
}

function peerIn (text: string): PeerId {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new RefusedError(400, 'error decoding request body')
  }
  const { peer_id: id } = Object(body) as { peer_id?: unknown }
  return peerFrom(typeof id === 'string' ? id : '', 'error decoding peer_id')
}

function peerFrom (text: string, refusal: string): PeerId {
  try {
    return parsePeerId(text)
  } catch (err) {
    throw new RefusedError(400, `${refusal}: ${(err as Error).message}`)
  }
}

async function bodyText (request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > bodyBytesMax) throw new RefusedError(400, `the request body is larger than ${bodyBytesMax} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
