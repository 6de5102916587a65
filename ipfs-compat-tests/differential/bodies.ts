import type { Random } from '../../cluster/consensus/raft/simulator/random.ts'
import { chainCar } from '../harness/cars.ts'
import type { BodySpec, Part } from '../harness/recordings/recording.ts'
import type { Endpoint } from './endpoints.ts'

export const boundary = 'some-boundary'

/** Bodies for a command that takes one: most of them whole, some empty, cut, or of something else. */
export function randomBody (kind: NonNullable<Endpoint['body']>, lines: readonly string[], random: Random): BodySpec {
  const make = { lines: () => [linesPart(lines, random)], files: () => some(random, 4, () => filePart(random)), cars: () => some(random, 3, () => part(random.pick(cars))), nodes: () => some(random, 3, () => part(random.pick(nodes))), blocks: () => some(random, 3, () => part(random.pick(blocks))) }
  const whole: BodySpec = { boundary, multipart: make[kind]() }
  if (random.chance(0.04)) return { cut: whole, keep: random.below(200) }
  return random.chance(0.02) ? random.pick(['', 'no multipart at all', `--${boundary}\r\n`, `--${boundary}--\r\n`]) : whole
}

function some<T> (random: Random, most: number, make: () => T): readonly T[] {
  return Array.from({ length: random.chance(0.04) ? 0 : 1 + random.below(random.chance(0.5) ? 1 : most) }, make)
}

function part (body: BodySpec, disposition = 'form-data; name="file"; filename="f"', type = 'application/octet-stream'): Part {
  return { headers: [['Content-Disposition', disposition], ['Content-Type', type]], body }
}

function linesPart (lines: readonly string[], random: Random): Part {
  const end = random.pick(['\n', '\n', '\r\n'])
  return part(lines.join(end) + (random.chance(0.7) ? end : ''), 'form-data; name="file"; filename="stdin"')
}

const names = ['f', 'a%2Fb', 'd/x', 'd/y', 'd', '', 'z%C3%BC', 'a+b', 'a b', '..%2Fup', '%2Fabs', 'x%ZZ', '.hidden', 'd/e/f', 'd/e', '%ff', '<&>']
const fields = ['file', 'file', 'file', 'file-1', 'file?mode=0644&mtime=1700000000', 'file?mode=0755', 'file?mtime=-5&mtime-nsecs=7', 'file?mode=x', '']

function filePart (random: Random): Part {
  const disposition = random.chance(0.05) ? random.pick(['', 'attachment; filename="att"', 'form-data; name="file"', 'form-data; name="file"; filename*=utf-8\'\'%C3%BC', 'form-data; name="file"; filename*0="a"; filename*1="b"', 'form-data; name="file"; filename="a\\\\b"', 'form-data; name=file; filename=plain']) : `form-data; name="${random.pick(fields)}"; filename="${random.pick(names)}"`
  const type = random.pick(['application/octet-stream', 'application/octet-stream', 'application/octet-stream', 'application/x-directory', 'application/symlink', 'text/plain', random.chance(0.03) ? 'a/b/c;;' : ''])
  return part(type === 'application/symlink' ? 'target/of/it' : type === 'application/x-directory' ? '' : random.pick(contents), disposition, type)
}

const contents: readonly BodySpec[] = ['hello world\n', '', 'x', { repeat: 'ab', times: 700 }, { prng: 'differential', length: 300_000 }, 'second file\n']

const carOf = (bytes: readonly Uint8Array[]): BodySpec => ({ base64: Buffer.concat(bytes).toString('base64') })
const chain = chainCar(3)
const [header, ...sections] = chain.pieces as [Uint8Array, ...Uint8Array[]]
const cars: readonly BodySpec[] = [
  carOf(chain.pieces), carOf(chainCar(1).pieces), carOf(chain.pieces), carOf(chainCar(5).pieces),
  carOf([header]), carOf([header, ...sections.slice(1)]), { cut: carOf(chain.pieces), keep: Buffer.concat(chain.pieces).length - 3 }, { cut: carOf(chain.pieces), keep: 20 }, carOf([...chain.pieces, ...sections]), carOf([...chain.pieces, Buffer.alloc(4)]), 'garbage', '', { repeat: '\u0000', times: 40 }
]

const nodes: readonly BodySpec[] = ['{"a":1}', '"text"', '{"link":{"/":"{{RAW1}}"}}', '{"link":{"/":"{{NOWHERE}}"}}', '[1,2.5,null,true]', '{"b":{"/":{"bytes":"AQID"}}}', '{"cut', '', 'nope', '{"/":"notacid"}', { base64: 'oWFhAQ==' }, '{"Links":[],"Data":{"/":{"bytes":"CAE"}}}', '{"a":1} {"b":2}']

const blocks: readonly BodySpec[] = ['raw one\n', 'new block', '', { repeat: 'q', times: 3_000 }, { base64: 'CgIIAQ==' }, { base64: 'oWFhAQ==' }, 'a'.repeat(70), { base64: 'oWRsaW5r2CpYJQABVRIgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' }]
