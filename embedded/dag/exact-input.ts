import { isUtf8 } from 'node:buffer'
import { KuboError } from '../rpc/kubo-error.ts'
import { codes } from './codecs.ts'

const halfFloat = 0xf9
const floatBytes: Readonly<Record<number, number>> = { [halfFloat]: 2, 0xfa: 4, 0xfb: 8 }
/** Arguments of up to 23 stand in the first byte; these are followed by 1, 2, 4 and 8 bytes. */
const firstLongArgument = 24
const lastLongArgument = 27

/**
 * A number is a number in JavaScript, and text is UTF-16: a whole float would be written as an integer, and bytes that are no UTF-8 as
 * others, each under a CID that no Kubo gives. For input that has been read without an error.
 *
 * @throws KuboError for what could not be written as it was meant
 */
export function refuseInexact (input: Buffer, codec: number): void {
  if (codec === codes['dag-json']) checkJson(input)
  if (codec === codes['dag-cbor'] || codec === codes['dag-jose']) checkCbor(input)
}

function checkJson (input: Buffer): void {
  if (!isUtf8(input)) throw noUtf8()
  const withoutText = input.toString('utf8').replaceAll(/"(?:\\.|[^"\\])*"/g, '""')
  for (const [number] of withoutText.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (/[.eE]/.test(number) && Number.isInteger(Number(number))) throw wholeFloat(number)
  }
}

/** Every item begins with a byte of kind and argument; what is inside of lists, maps and tags follows as items of its own. */
function checkCbor (input: Buffer): void {
  for (let at = 0; at < input.length;) {
    const first = input[at]!
    const [major, argument] = [first >> 5, first & 0x1f]
    const float = floatBytes[first]
    if (float !== undefined) {
      checkFloat(input.subarray(at + 1, at + 1 + float))
      at += 1 + float
      continue
    }
    const width = argument >= firstLongArgument && argument <= lastLongArgument ? 1 << argument - firstLongArgument : 0
    const value = width === 0 ? argument : Number(BigInt(`0x${input.toString('hex', at + 1, at + 1 + width)}`))
    at += 1 + width
    if (major !== 2 && major !== 3) continue
    if (major === 3 && !isUtf8(input.subarray(at, at + value))) throw noUtf8()
    at += value
  }
}

function checkFloat (bytes: Buffer): void {
  const value = bytes.length === 8 ? bytes.readDoubleBE() : bytes.length === 4 ? bytes.readFloatBE() : halfOf(bytes.readUInt16BE())
  if (Number.isInteger(value)) throw wholeFloat(String(value))
}

function halfOf (bits: number): number {
  const [exponent, fraction] = [bits >> 10 & 0x1f, bits & 0x3ff]
  return (bits & 0x8000 ? -1 : 1) * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

function wholeFloat (number: string): KuboError {
  return new KuboError(`the embedded daemon cannot keep the float ${number} apart from an integer: a real Kubo can`)
}

function noUtf8 (): KuboError {
  return new KuboError('the embedded daemon cannot keep text that is no UTF-8: a real Kubo can')
}
