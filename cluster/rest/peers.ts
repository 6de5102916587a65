import type { IncomingMessage } from 'node:http'
import { parsePeerId } from '../api/peer-id.ts'
import type { PeerId } from '../api/pin.ts'
import type { DrainProgress, TrustedPeers } from '../peer-ports.ts'
import { linesAnswer, nothing, valueAnswer } from './answer.ts'
import { idToJson } from './answers.ts'
import { RefusedError } from './rest-error.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'
import { objectSchema, peerSchema } from './schema.ts'

const bodyBytesMax = 4_096

export const peerRoutes: readonly Route[] = [
  route({ method: 'GET', path: '/id', about: 'This peer and its daemon.', answer: { kind: 'value', of: 'ID' } }, async ({ cluster, signal }) => valueAnswer(idToJson(await cluster.id({ signal })))),
  route({ method: 'GET', path: '/version', about: 'The version of this peer.', answer: { kind: 'value', of: 'Version' } }, ({ version }) => valueAnswer({ version })),

  route({
    method: 'GET', path: '/peers', about: 'The members of the cluster, as they answer. Of one that does not, the error says why.', answer: { kind: 'lines', of: 'ID' }
  }, ({ cluster, signal }) => {
    async function * ids (): AsyncGenerator<object> {
      for await (const id of cluster.peers({ signal })) yield idToJson(id)
    }
    return linesAnswer(ids())
  }),

  route({
    method: 'POST',
    path: '/peers',
    about: 'Answers a member as it is. In ipfs-cluster it makes a peer a voter that somebody is about to start; here a peer joins by itself, and 400 says how.',
    body: { type: 'application/json', schema: objectSchema({ peer_id: peerSchema }) },
    answer: { kind: 'value', of: 'ID' }
  }, async ({ cluster, request, signal }) => {
    const peer = peerInBody(await bodyText(request))
    for await (const id of cluster.peers({ signal })) if (id.id === peer) return valueAnswer(idToJson(id))
    const { addresses } = await cluster.id({ signal })
    throw new RefusedError(400, `${peer} is not a member of this cluster. A peer joins by itself: start it with the same secret and: ipfs-cluster-service daemon --bootstrap ${addresses[0] ?? '<address of a member>'}`)
  }),

  route({
    method: 'DELETE', path: '/peers/:peer', about: 'Takes a peer out of the cluster, dead or alive; answered once it is agreed on. One that runs stops.', answer: { kind: 'none' }
  }, async ({ overview, path, signal }) => {
    await overview.remove(peerIn(path), { signal })
    return nothing
  }),

  route({
    method: 'POST',
    path: '/peers/:peer/drain',
    about: 'Relieves a member of its pins: others get a copy of each, then it is let off. Answered once that is agreed on, with the number of pins there are to move; 400 when the others are too few. An addition.',
    answer: { kind: 'value', of: 'DrainProgress' }
  }, async ({ overview, path, signal }) => drainAnswer(await overview.drain({ peer: peerIn(path), isDraining: true }, { signal }))),

  route({
    method: 'DELETE',
    path: '/peers/:peer/drain',
    about: 'Relieves a member of its pins no longer: it keeps those it still has, and is given new ones. An addition.',
    answer: { kind: 'value', of: 'DrainProgress' }
  }, async ({ overview, path, signal }) => drainAnswer(await overview.drain({ peer: peerIn(path), isDraining: false }, { signal }))),

  route({
    method: 'GET',
    path: '/peers/:peer/drain',
    about: 'Whether a member is being relieved of its pins, and how many still name it. Pins that go everywhere are not counted. An addition.',
    answer: { kind: 'value', of: 'DrainProgress' }
  }, async ({ overview, path, signal }) => drainAnswer(await overview.drainProgress(peerIn(path), { signal }))),

  route({
    method: 'GET',
    path: '/peers/trusted',
    about: 'The peers that may change the pinset: all members, or those named, who need not be members yet. The others only store. An addition.',
    answer: { kind: 'value', of: 'TrustedPeers' }
  }, ({ overview }) => trustedAnswer(overview.trusted())),

  route({
    method: 'POST',
    path: '/peers/:peer/trust',
    about: 'Has a peer trusted to change the pinset; answered with all that are, once that is agreed on and the peer, if it is a member, has a vote. An addition.',
    answer: { kind: 'value', of: 'TrustedPeers' }
  }, async ({ overview, path, signal }) => trustedAnswer(await overview.trust({ peer: peerIn(path), isTrusted: true }, { signal }))),

  route({
    method: 'DELETE',
    path: '/peers/:peer/trust',
    about: 'Has a peer trusted no longer: from now on it only stores. Where all members were trusted, those that are members now stay it, and who joins later is not. 400 when nobody would be left. An addition.',
    answer: { kind: 'value', of: 'TrustedPeers' }
  }, async ({ overview, path, signal }) => trustedAnswer(await overview.trust({ peer: peerIn(path), isTrusted: false }, { signal })))
]

const trustedAnswer = ({ everyone, peers }: TrustedPeers): ReturnType<typeof valueAnswer> => valueAnswer({ everyone, peers })

const drainAnswer = ({ peer, isDraining, pins }: DrainProgress): ReturnType<typeof valueAnswer> => valueAnswer({ peer, draining: isDraining, pins })
const peerIn = (path: Readonly<Record<string, string>>): PeerId => peerFrom(path['peer']!, 'error decoding Peer ID')

function peerInBody (text: string): PeerId {
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
