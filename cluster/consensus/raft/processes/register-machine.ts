/** Registers by name, in memory: what the processes of the harness agree on. */
import { ByteReader, ByteWriter } from '../bytes.ts'
import { crc32c } from '../crc32c.ts'
import type { Loaded, StateMachine } from '../state-machine.ts'
import type { Operation } from './linearizability.ts'

export type Write = Exclude<Operation, { readonly kind: 'get' }>

export interface RegisterMachine extends StateMachine {
  get (key: string): number
  readonly size: number
}

export function encodeWrite (key: string, { kind, value }: Write, padding = 0): Uint8Array {
  return new ByteWriter(key.length + padding + 24).u8(kind === 'put' ? 1 : 2).text(key).varint(value).raw(new Uint8Array(padding)).done()
}

export function decodeAnswer (answer: Uint8Array): number { return new ByteReader(answer).varint() }

export function createRegisterMachine (): RegisterMachine {
  let registers = new Map<string, number>()
  let sums: readonly [number, number] = [0, 0]

  /** `sign` 1 puts it in, -1 takes it out; the order does not matter. */
  const mix = (key: string, value: number, sign: 1 | -1): void => {
    if (value === 0) return // as if it were not there
    const bytes = Buffer.from(`${key}=${value}`)
    sums = [sums[0] + sign * scattered(crc32c(bytes)) | 0, sums[1] + sign * scattered(crc32c(bytes, 0x5bd1e995) ^ 0x68e31da4) | 0]
  }
  const set = (key: string, value: number): void => {
    mix(key, registers.get(key) ?? 0, -1)
    mix(key, value, 1)
    registers.set(key, value)
  }
  const applyOne = (data: Uint8Array): Uint8Array => {
    const from = new ByteReader(data)
    const kind = from.u8()
    const key = from.text()
    const value = from.varint()
    const next = kind === 1 ? value : (registers.get(key) ?? 0) + value
    set(key, next)
    return new ByteWriter(8).varint(next).done()
  }

  return {
    durable: false,
    get: key => registers.get(key) ?? 0,
    get size () { return registers.size },
    async load (): Promise<Loaded | undefined> { return undefined },
    async apply (commands, keep) {
      const answers = commands.map(({ data }) => applyOne(data))
      keep(answers)
      return answers
    },
    async flush () {},
    snapshot () {
      const copy = [...registers]
      return {
        async * chunks () {
          for (let from = 0; from < copy.length; from += 1_000) {
            const part = copy.slice(from, from + 1_000)
            const to = new ByteWriter().varint(part.length)
            for (const [key, value] of part) to.text(key).varint(value)
            yield to.done()
          }
        },
        [Symbol.dispose] () {}
      }
    },
    async restore (chunks) {
      const next = new Map<string, number>()
      let rest: Uint8Array = new Uint8Array(0)
      for await (const chunk of chunks) rest = Buffer.concat([rest, chunk])
      const from = new ByteReader(rest)
      while (from.left > 0) for (let left = from.varint(); left > 0; left--) next.set(from.text(), from.varint())
      registers = new Map()
      sums = [0, 0]
      for (const [key, value] of next) set(key, value)
    },
    digest: () => BigInt(sums[0] >>> 0) << 32n | BigInt(sums[1] >>> 0)
  }
}

/** A CRC is linear: sums of them would cancel out. */
function scattered (hash: number): number {
  const first = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
  const second = Math.imul(first ^ first >>> 13, 0xc2b2ae35)
  return second ^ second >>> 16
}
