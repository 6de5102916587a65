import t from 'tap'
import { multipartBoundary, readMultipart } from './multipart.ts'

interface ReadPart { readonly headers: Readonly<Record<string, string>>, readonly body: string }

async function * inPieces (text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll (source: AsyncIterable<Uint8Array>): Promise<ReadPart[]> {
  const parts: ReadPart[] = []
  for await (const { headers, body } of readMultipart(source, 'b')) {
    parts.push({ headers: Object.fromEntries(headers), body: Buffer.concat(await Array.fromAsync(body)).toString('latin1') })
  }
  return parts
}

const two = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nX-Other: 1\r\n\r\nfirst\r\n--b\r\n\r\n\r\n--bx is text\r\nand \r\n-- too\r\n--b--\r\n'

for (const size of [1, 2, 3, 7, 1_000]) {
  t.test(`parts come with all their headers, whatever the pieces they arrive in (${size} bytes)`, async t => {
    const parts = await readAll(inPieces(two, size))

    t.strictSame(parts, [
      { headers: { 'content-disposition': 'form-data; name="file"; filename="a"', 'x-other': '1' }, body: 'first' },
      { headers: {}, body: '\r\n--bx is text\r\nand \r\n-- too' }
    ])
  })
}

t.test('a part of no bytes may have its delimiter at once', async t => {
  t.strictSame(await readAll(inPieces('--b\r\n\r\n--b--\r\n', 1)), [{ headers: {}, body: '' }])
})

t.test('a part that says it is quoted-printable is decoded, as Go does by itself', async t => {
  const body = '--b\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\na=3Db=\r\nc \t\r\n=00=ff=zz\r\n--b--\r\n'

  for (const size of [1, 3, 1_000]) t.equal((await readAll(inPieces(body, size)))[0]?.body, 'a=bc\r\n\0\xff=zz')
  await t.rejects(readAll(inPieces(body.replace('=00', '\0'), 1_000)), { message: 'quotedprintable: invalid unescaped byte 0x00 in body' })
})

t.test('a client that ends lines with LF alone is understood', async t => {
  t.strictSame(await readAll(inPieces('--b\nA: 1\n\nx\n--b--\n', 2)), [{ headers: { a: '1' }, body: 'x' }])
})

t.test('text before the first boundary and after the last is nothing', async t => {
  t.strictSame(await readAll(inPieces('preamble\r\n--b\r\n\r\nx\r\n--b--\r\nepilogue', 5)), [{ headers: {}, body: 'x' }])
})

t.test('only the end is a body without parts', async t => {
  t.strictSame(await readAll(inPieces('--b--\r\n', 3)), [])
})

const cuts = [
  ['nothing at all', '', { message: 'multipart: NextPart: EOF', cut: false }],
  ['another boundary', '--other\r\n\r\nx\r\n--other--\r\n', { message: 'multipart: NextPart: EOF', cut: false }],
  ['a cut in a part', '--b\r\n\r\nhalf', { message: 'unexpected EOF', cut: true }],
  ['a cut in the delimiter', '--b\r\n\r\nhalf\r\n--', { message: 'unexpected EOF', cut: true }],
  ['no end behind a whole part', '--b\r\n\r\nwhole\r\n--b', { message: 'multipart: NextPart: EOF', cut: false }],
  ['a cut in the headers of a later part', '--b\r\n\r\nwhole\r\n--b\r\nContent-', { message: 'malformed MIME header: missing colon: "Content-"', cut: false }],
  ['a cut behind a header', '--b\r\n\r\nwhole\r\n--b\r\nContent-Type: te', { message: 'multipart: NextPart: EOF', cut: false }],
  ['a header that begins with a space', '--b\r\n x: y\r\n\r\n', { message: 'malformed MIME header initial line: " x: y"', cut: false }],
  ['a delimiter with more on its line', '--b\r\n\r\nx\r\n--b j\xc3\xbcnk\x07\r\n', { message: 'multipart: expecting a new Part; got line "--b jünk\\a\\r\\n"', cut: false }],
  ['another end of its last line', '--b\r\n\r\nx\r\n--b--\n', { message: 'multipart: expecting a new Part; got line "--b--\\n"', cut: false }],
  ['a delimiter behind nothing', '--b\r\n\r\n--b x\r\n', { message: 'multipart: unexpected line in Next(): "--b x\\r\\n"', cut: false }],
  ['more headers than Go reads', `--b\r\n${'x: y\r\n'.repeat(10_001)}\r\n`, { message: 'multipart: message too large', cut: false }],
  ['a header with other than a name', '--b\r\nx(y: z\r\n\r\n', { message: 'malformed MIME header line: "x(y: z"', cut: false }]
] as const

for (const [what, body, error] of cuts) {
  t.test(`${what} is refused in Go's words`, async t => {
    for (const size of [1, 1_000]) await t.rejects(readAll(inPieces(body, size)), error)
  })
}

t.test('a header that never ends is refused before it fills the memory', async t => {
  async function * endless (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('--b\r\nA: ')
    for (;;) yield Buffer.alloc(65_536, 'a')
  }

  await t.rejects(readAll(endless()), { message: 'multipart: message too large' })
})

t.test('what nobody read of a part is skipped, and nothing is read ahead of need', async t => {
  let pulled = 0
  async function * counted (): AsyncGenerator<Uint8Array> {
    for await (const piece of inPieces(`--b\r\n\r\n${'x'.repeat(10_000)}\r\n--b\r\n\r\nsecond\r\n--b--\r\n`, 100)) { pulled++; yield piece }
  }
  const parts = readMultipart(counted(), 'b')

  await parts.next()
  const pulledForHeaders = pulled
  const { value } = await parts.next()

  t.equal(pulledForHeaders, 1)
  t.equal(Buffer.concat(await Array.fromAsync(value!.body)).toString(), 'second')
})

t.test('the boundary is that of a multipart form, quoted or not, in any case', async t => {
  t.equal(multipartBoundary('multipart/form-data; boundary=abc'), 'abc')
  t.equal(multipartBoundary('Multipart/Form-Data; boundary="a b"'), 'a b')
  t.equal(multipartBoundary('multipart/form-data'), undefined)
  t.equal(multipartBoundary('application/json'), undefined)
})
