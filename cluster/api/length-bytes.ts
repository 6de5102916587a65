import { varint } from 'multiformats'

/** A length as CARs have it: an unsigned varint. */
export const lengthBytes = (length: number): Uint8Array => varint.encodeTo(length, new Uint8Array(varint.encodingLength(length)))
