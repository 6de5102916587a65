import type { Random } from './random.ts'
import type { Settings } from './settings.ts'

export interface Envelope<M> {
  readonly from: number
  readonly to: number
  readonly message: M
}

/** Loss, duplication, reordering, delay and cuts between peers numbered from 1, in rounds. */
export interface Network<M> {
  /** @returns false when the network already knows that this copy will not arrive */
  send: (envelope: Envelope<M>) => boolean
  /** What arrives in this round, in the order of arrival. The caller empties nothing: it is taken. */
  arrivals: (round: number) => Array<Envelope<M>>
  /** Whether a message that is under way would still get through. */
  isOpen: (from: number, to: number) => boolean
  /** Cuts links in one of the ways links get cut. */
  partition: (peers: readonly number[]) => void
  cut: (from: number, to: number) => void
  heal: () => void
  /** From now on nothing is lost, doubled or late; what is already under way still arrives. */
  becomeCalm: () => void
  /** An earlier message, word for word, as a network that keeps copies would deliver it. */
  echo: () => Envelope<M> | undefined
}

const longDelayRounds = 300
const echoesMax = 96

export function createNetwork<M> (settings: Settings, random: Random, peersMax: number): Network<M> {
  const width = peersMax + 1
  const closed = new Uint8Array(width * width)
  const underWay = new Map<number, Array<Envelope<M>>>()
  const echoes: Array<Envelope<M>> = []
  let now = 0
  let calm = false

  const schedule = (envelope: Envelope<M>, rounds: number): void => {
    const due = now + 1 + rounds
    const sameRound = underWay.get(due)
    if (sameRound === undefined) underWay.set(due, [envelope])
    else sameRound.push(envelope)
  }
  const delay = (): number => {
    if (calm) return 0
    return random.chance(settings.longDelay) ? random.below(longDelayRounds) : random.below(settings.delayMost + 1)
  }
  const cut = (from: number, to: number): void => { closed[from * width + to] = 1 }

  return {
    send: envelope => {
      if (random.chance(0.2)) echoes[echoes.length < echoesMax ? echoes.length : random.below(echoesMax)] = envelope
      if (closed[envelope.from * width + envelope.to] === 1) return false
      if (!calm && random.chance(settings.loss)) return false
      schedule(envelope, delay())
      if (!calm && random.chance(settings.duplication)) schedule(envelope, delay() + random.below(10))
      return true
    },
    arrivals: round => {
      now = round
      const due = underWay.get(round)
      if (due === undefined) return []
      underWay.delete(round)
      return settings.delayMost > 0 && due.length > 1 ? random.shuffle(due) : due
    },
    isOpen: (from, to) => closed[from * width + to] === 0,
    partition: peers => { cutSome(peers, random, cut) },
    cut,
    heal: () => { closed.fill(0) },
    becomeCalm: () => { calm = true },
    echo: () => echoes.length === 0 ? undefined : random.pick(echoes)
  }
}

/** The shapes outages have had: halves, one alone, deaf or mute ones, and meshes with holes (Cloudflare 2020). */
function cutSome (peers: readonly number[], random: Random, cut: (from: number, to: number) => void): void {
  const both = (a: number, b: number): void => { cut(a, b); cut(b, a) }
  const shape = random.below(6)
  const one = random.pick(peers)
  const others = peers.filter(peer => peer !== one)
  if (shape === 0) others.forEach(other => { both(one, other) })
  if (shape === 1) others.forEach(other => { cut(one, other) })
  if (shape === 2) others.forEach(other => { cut(other, one) })
  if (shape === 3) {
    const left = new Set(peers.filter(() => random.chance(0.5)))
    for (const a of peers) for (const b of peers) if (left.has(a) !== left.has(b)) cut(a, b)
  }
  if (shape === 4) for (const a of peers) for (const b of peers) if (a < b && random.chance(0.4)) both(a, b)
  if (shape === 5) for (const a of peers) for (const b of peers) if (a !== b && random.chance(0.3)) cut(a, b)
}
