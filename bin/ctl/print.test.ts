import t from 'tap'
import { jsonText, parseJson } from './json.ts'
import { colours, paintFor, plain } from './paint.ts'
import * as print from './print.ts'

const info = {
  cid: 'QmX', name: 'a\u001b[2Jb', peer_map: {
    b: { peername: 'zoë', status: 'pinned', timestamp: '2026-01-01T00:00:00Z', error: '', attempt_count: 1, priority_pin: true },
    a: { peername: '', status: 'pin_error', timestamp: '2026-01-01T00:00:00Z', error: 'no\u001b]0;room\u0007', attempt_count: 3, priority_pin: false },
    c: { peername: 'c', status: 'pinning', timestamp: '2026-01-01T00:00:00Z', error: '', attempt_count: 0, priority_pin: false }
  }
}

t.test('a status is a row a peer, in the order of their ids', async t => {
  t.equal(print.infoText(info, plain), [
    'QmX | a\\u001b[2Jb:',
    '    > a                    : PIN_ERROR: no\\u001b]0;room\\u0007 | 2026-01-01T00:00:00Z | Attempts: 3 | Priority: false',
    '    > zoë                  : PINNED | 2026-01-01T00:00:00Z | Attempts: 1 | Priority: true',
    '    > c                    : PINNING | 2026-01-01T00:00:00Z | Attempts: 0 | Priority: false',
    ''
  ].join('\n'))
})

t.test('with colours the words that matter have one, and no other control character is there', async t => {
  const text = print.infoText(info, colours)

  for (const painted of ['\u001b[32mPINNED\u001b[39m', '\u001b[31mPIN_ERROR\u001b[39m', '\u001b[33mPINNING\u001b[39m']) t.ok(text.includes(painted), JSON.stringify(painted))
  t.notMatch(text.replaceAll(/\u001b\[3\dm|\n/g, ''), /\p{Cc}/u)
})

t.test('colours are for a terminal whose user wants them', async t => {
  t.equal(paintFor({ isTTY: true }, {}), colours)
  for (const [stream, env] of [[{}, {}], [{ isTTY: true }, { NO_COLOR: '1' }], [{ isTTY: true }, { TERM: 'dumb' }]] as const) t.equal(paintFor(stream, env), plain)
})

t.test('bandwidth is a row a protocol, as Go prints it', async t => {
  const rows = { '/ipfscluster/1.0/rpc': { total_in: 7, total_out: 83_000_000, rate_in: 0, rate_out: 1e6 }, '/z/1': { total_in: 5_000, total_out: 0, rate_in: 12.345, rate_out: 0 } }

  t.equal(print.bandwidthText(rows, plain), [
    '     /ipfscluster/1.0/rpc: In:     7 B. Out:   83 MB. RateIn: 0.00B/s. RateOut: 1000000.00B/s',
    '                     /z/1: In:  5.0 kB. Out:     0 B. RateIn: 12.35B/s. RateOut: 0.00B/s',
    ''
  ].join('\n'))
})

t.test('peers that may change the pinset are named, one a line', async t => {
  t.equal(print.trustedText({ everyone: false, peers: ['b', 'a\u001b[2J'] }, plain), 'b\na\\u001b[2J\n')
})

t.test('JSON keeps integers that are larger than a number, sorts maps and escapes as Go does', async t => {
  const text = '{"expire":1795371856125091438,"name":"<a> & \u2028b","metadata":{"z":"1","a":"2"},"rate":1e-7,"order":{"z":1,"a":2}}'

  t.equal(jsonText(parseJson(text)), [
    '{',
    '    "expire": 1795371856125091438,',
    '    "name": "\\u003ca\\u003e \\u0026 \\u2028b",',
    '    "metadata": {',
    '        "a": "2",',
    '        "z": "1"',
    '    },',
    '    "rate": 1e-7,',
    '    "order": {',
    '        "z": 1,',
    '        "a": 2',
    '    }',
    '}',
    ''
  ].join('\n'))
})
