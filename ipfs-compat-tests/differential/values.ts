/** Values of options and arguments as they stand in a query, escaped already; `{{NAME}}` is filled in later. */

/** What an option can be given: values that mean something, and values that are refused. */
export interface Choice {
  readonly names: readonly string[]
  readonly good: readonly string[]
  readonly bad: readonly string[]
}

const escaped = (texts: readonly string[]): readonly string[] => texts.map(text => encodeURIComponent(text))

const goodBooleans = ['true', 'false', 'true', 'false', '1', '0', 't', 'f', 'T', 'F', 'TRUE', 'False', 'tRuE', '']
const badBooleans = ['yes', 'no', '2', 'on', '%20true', 'tru', 'null', '%ff', '"', '-']
const badIntegers = ['', 'x', '1.5', '99999999999999999999', '0x', '1_', '--1', '%2B%2B1', '1e3', '%201', '0b2', '08']
const spelledIntegers = ['0', '1', '2', '0x2', '0b10', '010', '0o3', '1_0', '%2B2', '-1']

export const flag = (...names: readonly string[]): Choice => ({ names, good: goodBooleans, bad: badBooleans })
export const integer = (names: readonly string[], more: readonly string[] = []): Choice => ({ names, good: [...spelledIntegers, ...more], bad: badIntegers })
/** What is refused here is refused by the command, not while the request is read. */
export const text = (names: readonly string[], ...values: readonly string[]): Choice => ({ names, good: escaped(values), bad: [] })

const long = (bytes: number): string => 'n'.repeat(bytes)
export const pinName = (...names: readonly string[]): Choice => ({
  names,
  good: ['keep', 'e', '', 'a+b', '%3Ca%3E%26%22%5C', 'z%C3%BC%E2%80%A8', '%00%0A%09', '%ff%fe', '%F0%9F%98%80', long(255), `${'%C3%BC'.repeat(127)}n`],
  bad: [long(256), '%C3%BC'.repeat(128)]
})

/** Durations as Go writes them. Those that end something end it soon. */
const durations = ['1s', '700ms', '0.9s', '900000us', '1m30s', '2h', '1000000%C2%B5s', '.8s', '1.s']
const badDurations = ['5', '', 'abc', '1', '1d', '%201s', '1s1', '-', '.s', '1S']

export const globalChoices: readonly Choice[] = [
  { names: ['encoding', 'enc'], good: ['json', 'json', 'text', 'textnl', 'xml', 'octet-stream'], bad: ['protobuf', '', 'JSON', 'foo', 'json%20'] },
  { names: ['timeout'], good: durations, bad: badDurations },
  { names: ['cid-base'], good: ['base32', 'base58btc', 'base36', 'base16', 'base64url', 'base32upper', 'base2', 'z', 'f', 'base64'], bad: ['', 'base1', 'B32', 'identity', 'base%20'] },
  flag('upgrade-cidv0-in-output'), flag('offline'), flag('local', 'L'), flag('stream-channels'), flag('debug', 'D'), flag('help'), flag('h'),
  { names: ['preload', 'metadata', 'foo', 'Recursive', 'arg%20', 'argx'], good: ['1', 'x', ''], bad: [] }
]

/** What can be pinned, listed or walked at once, in all the ways to write it. */
export const reachable = [
  '{{D2}}', '{{HELLO}}', '{{RAW1}}', '{{RAW2}}', '{{RAW3}}', '{{CBOR}}', '{{THIRD}}', '{{D1}}', '{{SECOND}}', '{{BIG}}', '{{HELLO_V1}}', '{{D2_B36}}', '{{RAW1_B16}}', '{{RAW1_UPPER}}', '{{IDENTITY}}',
  '/ipfs/{{D2}}', '/ipfs/{{D2}}/a', '{{D2}}/b/c', '/ipfs/{{D2}}/b/', '{{D2}}/b//c', 'ipfs://{{D2}}/a', 'ipfs:{{D2}}', '/ipfs/{{CBOR}}/link', '/ipfs/{{CBOR}}/list/0', '/ipfs/{{CBOR}}/n', '{{CBOR}}/link', '/ipfs/{{D2}}/./b', '/ipld/{{CBOR}}', 'dweb:/ipfs/{{D2}}'
]
export const unreadable = [
  '', 'notacid', '/', '/ipfs', '/ipfs/', '/ipfs/notacid', '{{D2}}/nope', '/ipfs/{{HELLO}}/x', '/ipfs/{{CBOR}}/nope', '%20{{D2}}', '{{D2}}%20', 'Qm', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKZzz0', '%ff%fe', '%C3%BC', '..', '/ipfs/..', '/ipfs/{{D2}}/../{{HELLO}}',
  'https://example.com/ipfs/{{D2}}', '/ipns/', '/ipns/notakey', 'bafy', 'b', 'f01', '{{D2}}%00', '{{D2}}%0A', '{{D2}}#x', '{{D2}}%3Fx=1', '/ipfs/{{RAW1}}/x', 'z{{D2}}', '{{CBOR}}/list/7'
]
/** What waits for the network: only to be asked for with a `timeout`. */
export const unreachable = ['{{NOWHERE}}', '{{LACKING}}', '{{GONE}}', '/ipfs/{{LACKING}}/gone', '/ipns/{{PEER_ID}}', '/ipns/{{PEER_ID_B36}}', '{{NOWHERE}}/x']
export const soon = ['600ms', '0.7s', '800ms']

export const filePaths = ['/', '/m', '/m/hello', '/m/d', '/m/d/a', '/m/d/b/c', '/m/nope', '/new', '/m/new', '/x/y', '', 'm', '/m/', '//m', '/m/../m', '/ipfs/{{D2}}/a', '/ipfs/{{D2}}', '/m/%C3%BC', '/m/hello/x', '/ipfs/notacid', '%ff']

/** Headers that browsers, command lines and libraries send. */
export const headerSets: readonly (readonly (readonly [string, string])[])[] = [
  [['Connection', 'close']], [['Connection', 'keep-alive']], [['Accept-Encoding', 'gzip']], [['User-Agent', 'go-ipfs-cmds/http'], ['Connection', 'close'], ['Accept-Encoding', 'gzip']],
  [['User-Agent', 'Mozilla/5.0']], [['User-Agent', 'Mozilla/5.0 Electron/1']], [['User-Agent', 'go-ipfs/0.4.0']], [['User-Agent', 'x/kubo/{{VERSION}}/']], [['User-Agent', '/kubo/{{VERSION}}/']],
  [['Origin', 'http://127.0.0.1:{{API_PORT}}']], [['Origin', 'http://localhost:{{API_PORT}}'], ['Referer', 'http://localhost:{{API_PORT}}/webui']], [['Origin', 'http://example.com']], [['Origin', 'null']], [['Origin', '']],
  [['Referer', 'http://127.0.0.1:{{API_PORT}}/x']], [['Referer', 'http://example.com/']], [['Referer', '::']], [['Authorization', 'Bearer x']], [['Content-Type', 'application/octet-stream']], [['Content-Type', 'application/json']],
  [['Content-Type', 'Multipart/Form-Data; BOUNDARY="some-boundary"']], [['Content-Type', 'multipart/form-data; boundary=other']], [['Connection', 'x, close']], [['TE', 'trailers']], [['X-Long', 'one\r\n two']],
  [['Authorization', 'Basic OnRlc3Q=']], [['Accept', 'text/html'], ['Cookie', 'a=b']], [['Range', 'bytes=0-1']], [['Upgrade', 'websocket'], ['Connection', 'upgrade']],
  [['Content-Type', 'multipart/form-data']], [['Expect', '100-continue']], [['Expect', 'nothing']], [['X-Whatever', '1'], ['x-whatever', '2']], [['Origin', 'http://example.com'], ['Access-Control-Request-Method', 'POST']]
]
