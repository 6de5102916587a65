import type { Asked } from './grammar.ts'
import { randomRequest } from './grammar.ts'
import { mutate } from './mutate.ts'
import { chanceOf } from './random.ts'
import type { Chance } from './random.ts'

/** What one client writes, and how it leaves. */
export interface Trial {
  readonly what: string
  readonly pieces: readonly Buffer[]
  /** `waits` for its answer; `ends` its side first; `goes` without waiting, after so many pieces. */
  readonly leaves: 'waits' | 'ends' | 'goes'
}

/** The same for the same seed and number. */
export function trialOf (seed: number, number: number, cids: readonly string[]): Trial {
  const chance = chanceOf(seed * 1_000_003 + number)
  const asked = randomRequest(chance, cids)
  const framing = asked.body === undefined ? 'none' : chance.pick(['length', 'length', 'length', 'chunked', 'chunked', 'short'] as const)
  const whole = bytesOf(asked, framing, chance)
  const isTornHead = chance.oneIn(12)
  const bytes = isTornHead ? tornHead(whole, chance) : whole
  const leaves = chance.oneIn(12) ? 'goes' : isTornHead || framing === 'short' ? 'ends' : 'waits'
  const pieces = split(leaves === 'goes' ? bytes.subarray(0, chance.below(bytes.length + 1)) : bytes, chance)
  return { what: `${asked.command} ${framing}${isTornHead ? ' torn head' : ''} ${leaves}`, pieces, leaves }
}

function bytesOf ({ target, headers, body }: Asked, framing: 'none' | 'length' | 'chunked' | 'short', chance: Chance): Buffer {
  const sent = body === undefined || framing !== 'short' ? body : body.subarray(0, chance.below(body.length + 1))
  const length = framing === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${framing === 'short' ? body!.length + 1 : body?.length ?? 0}`
  const head = ['', 'Host: fuzz', ...headers, ...chance.oneIn(25) && framing !== 'none' ? ['Expect: 100-continue'] : [], 'Connection: close', length, '', '']
  const version = chance.oneIn(40) && framing !== 'chunked' ? '1.0' : '1.1'
  const headBytes = Buffer.concat([Buffer.from('POST '), target, Buffer.from(` HTTP/${version}${head.join('\r\n')}`, 'latin1')])
  return Buffer.concat([headBytes, ...sent === undefined ? [] : framing === 'chunked' ? chunks(sent, chance) : [sent]])
}

function chunks (body: Buffer, chance: Chance): readonly Buffer[] {
  const pieces = split(body, chance).filter(({ length }) => length > 0)
  return [...pieces.flatMap(piece => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]), Buffer.from('0\r\n\r\n')]
}

function tornHead (whole: Buffer, chance: Chance): Buffer {
  const end = whole.indexOf('\r\n\r\n') + 4
  return Buffer.concat([mutate(whole.subarray(0, end), chance), whole.subarray(end)])
}

/** At places that chance chooses; nearly always few. */
function split (bytes: Buffer, chance: Chance): readonly Buffer[] {
  const cuts = Array.from({ length: chance.pick([0, 0, 1, 3, 20]) }, () => chance.below(bytes.length + 1)).sort((a, b) => a - b)
  return [...cuts, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : cuts[i - 1], end))
}
