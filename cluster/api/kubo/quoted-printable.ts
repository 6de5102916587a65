/** No line is held longer: what is left of it is decoded as it is. */
const lineBytesMax = 64 << 10

/**
 * Decodes a body that says `Content-Transfer-Encoding: quoted-printable`, as Go's multipart reader does by itself: `=XX` is a byte,
 * `=` at the end of a line joins it with the next, white space before a line end is nothing.
 *
 * @throws Error in the words of Go's `mime/quotedprintable`
 */
export async function * decodeQuotedPrintable (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let rest = ''
  for await (const chunk of source) {
    rest += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    const end = rest.lastIndexOf('\n') + 1
    if (end === 0 && rest.length < lineBytesMax) continue
    const whole = end === 0 ? rest.length - 2 : end // an escape may be cut in two
    yield decoded(rest.slice(0, whole))
    rest = rest.slice(whole)
  }
  if (rest !== '') yield decoded(rest)
}

function decoded (text: string): Uint8Array {
  const joined = text.replace(/[ \t]+(\r?\n|$)/g, '$1').replace(/=(\r?\n|$)/g, '')
  const [bad] = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(joined) ?? []
  if (bad !== undefined) throw new Error(`quotedprintable: invalid unescaped byte 0x${bad.charCodeAt(0).toString(16).padStart(2, '0')} in body`)
  const plain = joined.replace(/=([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) // any other `=` is one
  return Buffer.from(plain, 'latin1')
}
