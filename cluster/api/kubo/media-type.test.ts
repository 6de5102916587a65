import t from 'tap'
import { readMediaType } from './media-type.ts'

function paramsOf (header: string): Record<string, string> | string {
  const read = readMediaType(header)
  return typeof read === 'string' ? read : Object.fromEntries(read.params)
}

t.test('a name is read however clients write it', async t => {
  const written = {
    'form-data; name="f"; filename="a%20b"': 'a%20b',
    'form-data; name=f; filename=plain': 'plain',
    'form-data; filename="a\\"b"': 'a"b',
    'form-data; filename="C:\\dir\\f"': 'C:\\dir\\f',
    "form-data; filename*=utf-8''%C3%BC": '\u00c3\u00bc',
    'form-data; filename*0="one"; filename*1=two': 'onetwo',
    "form-data; filename*0*=UTF-8'en'%41; filename*1*=%42; filename*2=%43": 'AB%43',
    'form-data; filename=a; filename=a; ': 'a'
  }
  for (const [header, filename] of Object.entries(written)) t.match(paramsOf(header), { filename }, header)
})

t.test('a character set that Go does not know gives no name', async t => {
  t.strictSame(paramsOf("form-data; filename*=latin1''%FC"), {})
})

t.test('what Go refuses is refused in its words', async t => {
  const refused = {
    '': 'mime: no media type',
    'a b': 'mime: expected slash after first token',
    'a/': 'mime: expected token after slash',
    'a/b/c;;': 'mime: unexpected content after media subtype',
    'a/b; c': 'mime: invalid media parameter',
    'a/b;; c=d': 'mime: invalid media parameter',
    'a/b; c=d; c=e': 'mime: duplicate parameter name'
  }
  for (const [header, error] of Object.entries(refused)) t.equal(paramsOf(header), error, header)
})
