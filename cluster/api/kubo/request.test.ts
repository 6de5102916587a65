import t from 'tap'
import { parseGoBool, parseGoDurationMs, parseGoInteger } from './go-values.ts'
import { parseGoQuery, splitTarget } from './query.ts'
import { KuboParseError, parseKuboRequest } from './request.ts'
import type { CommandShape } from './request.ts'

const shape = {
  path: 'pin/add',
  args: [{ name: 'ipfs-path', kind: 'string', required: true, variadic: true, stdin: true }],
  options: { recursive: { type: 'bool', aliases: ['r'], fallback: true }, name: { type: 'string', aliases: ['n'] }, depth: { type: 'int' }, mode: { type: 'uint' } }
} as const satisfies CommandShape

const parse = (rawQuery: string, pathArgument?: string, body: 'multipart' | 'none' = 'none') => parseKuboRequest(shape, { pathArgument, rawQuery, body })
const refusal = (rawQuery: string): string => {
  try {
    parse(rawQuery)
    return 'accepted'
  } catch (err) {
    return err instanceof KuboParseError ? err.message : `another error: ${String(err)}`
  }
}

t.test('a pair with a semicolon or a bad escape is dropped, plus is a space, bytes stay', async t => {
  const query = parseGoQuery('a=1;b=2&c=%zz&d=x+y%2B&e&=f&g=\xff&d=second')

  t.strictSame([...query], [['d', ['x y+', 'second']], ['e', ['']], ['', ['f']], ['g', ['\udcff']]])
})

t.test('the argument in the path comes before those in the query', async t => {
  t.strictSame(parse('arg=b&arg=c', 'a').args, ['a', 'b', 'c'])
})

t.test('an option is found by any of its names, and its default is filled in', async t => {
  t.equal(parse('arg=a').options.recursive, true)
  t.equal(parse('arg=a&r=F').options.recursive, false)
  t.equal(parse('arg=a&recursive').options.recursive, true)
  t.equal(parse('arg=a&n=x&enc=text').options.encoding, 'text')
  t.equal(parse('arg=a').options.encoding, 'json')
  t.equal(parse('arg=a&unheard-of=1').options.name, undefined)
})

t.test('what Kubo refuses is refused in its words', async t => {
  t.equal(refusal('arg=a&recursive=maybe'), 'could not convert value "maybe" to type "bool" (for option "-recursive")')
  t.equal(refusal('arg=a&r=maybe'), 'could not convert value "maybe" to type "bool" (for option "-recursive")')
  t.equal(refusal('arg=a&depth='), 'could not convert empty value to type "int" (for option "-depth")')
  t.equal(refusal('arg=a&mode=-1'), 'could not convert value "-1" to type "uint" (for option "-mode")')
  t.equal(refusal('arg=a&name=x&name=y'), 'expected key name to have only a single value, received [x y]')
  t.equal(refusal(''), 'argument "ipfs-path" is required')
})

t.test('a missing argument may still come with the body', async t => {
  t.strictSame(parse('', undefined, 'multipart').args, [])
})

t.test('a required file that is not there is missed before options are looked at', async t => {
  const add = { path: 'add', args: [{ name: 'path', kind: 'file', required: true, variadic: true, stdin: true }], options: {} } as const

  t.throws(() => parseKuboRequest(add, { pathArgument: undefined, rawQuery: 'timeout=1', body: 'none' }), { message: "file argument 'path' is required" })
})

t.test('values are read as Go reads them', async t => {
  t.strictSame(['', '1', 'T', 'TRUE', 'f', '0', 'yes'].map(parseGoBool), [true, true, true, true, false, false, undefined])
  t.strictSame(['0x10', '010', '0b11', '1_000', '-5', '9x', '2147483648', '+3'].map(text => parseGoInteger(text, { bits: 32, signed: true })), [16n, 8n, 3n, 1_000n, -5n, undefined, undefined, 3n])
  t.equal(parseGoInteger('-1', { bits: 64, signed: false }), undefined)
  t.strictSame(['300ms', '1m30s', '1.5h', '-2s', '0', '5', '', '1d', '2µs', '.5s'].map(parseGoDurationMs), [300, 90_000, 5_400_000, -2_000, 0, undefined, undefined, undefined, 0.002, 500])
  t.strictSame(['9223372036854775807ns', '9223372036854775808ns', '-9223372036854775808ns', '2562048h', '000000000000000000000001s', '1.9ns', '-0s'].map(parseGoDurationMs), [9_223_372_036_854.775, undefined, -9_223_372_036_854.775, undefined, 1_000, 0.000001, 0])
})

t.test('an absolute target is as good as a path', async t => {
  t.strictSame(splitTarget('http://127.0.0.1:5001/api/v0/id?a=b?c'), { path: '/api/v0/id', query: 'a=b?c' })
  for (const target of ['ftp://x/api/v0/id', 'http:///api/v0/id', 'HTTP://x:1/api/v0/id', 'a:/api/v0/id']) t.equal(splitTarget(target).path, '/api/v0/id', target)
})
