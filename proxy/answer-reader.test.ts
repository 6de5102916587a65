import t from 'tap'
import { AnswerReader } from './answer-reader.ts'

const chunked = 'HTTP/1.1 200 OK\r\nTrailer: X-Stream-Error\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-Stream-Error: no\r\n\r\n'
const answers: Readonly<Record<string, string>> = {
  chunked,
  'of a length': 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 12\r\n\r\nhello\r\n\r\n0\r\n',
  'empty': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'without a body': 'HTTP/1.1 204 No Content\r\nAllow: POST\r\n\r\n',
  'after an interim one': `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${chunked}`
}

for (const [name, answer] of Object.entries(answers)) {
  t.test(`the end of an answer ${name} is found, however it is cut into reads`, async t => {
    const bytes = Buffer.from(`${answer}HTTP/1.1`, 'latin1')
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new AnswerReader()
      let end = -1
      let at = 0
      for (; end < 0 && at < bytes.length; at += size) end = reader.push(bytes.subarray(at, at + size))

      if (at - size + end !== answer.length) t.fail(`reads of ${size} bytes end at ${at - size + end}, not at ${answer.length}`)
      if (!reader.keepsConnection) t.fail('the connection can be used again')
    }
    t.ok(bytes.length > answer.length, 'every size of reads was tried')
  })
}

t.test('an answer without a length ends with its connection', async t => {
  const reader = new AnswerReader()

  t.equal(reader.push(Buffer.from('HTTP/1.1 200 OK\r\nDate: now\r\n\r\nabc')), -1)
  t.equal(reader.push(Buffer.from('0\r\n\r\n')), -1)
  t.ok(reader.endsWithConnection)
  t.notOk(reader.keepsConnection)
})

t.test('a daemon that closes is believed', async t => {
  const reader = new AnswerReader()

  t.equal(reader.push(Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx')), 58)
  t.notOk(reader.keepsConnection)
})

t.test('what is no answer is refused, and so is one whose parts do not end', async t => {
  t.throws(() => new AnswerReader().push(Buffer.from('SSH-2.0-OpenSSH\r\n\r\n')), /not HTTP/)
  t.throws(() => new AnswerReader().push(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n')), /no size/)
  t.throws(() => {
    const reader = new AnswerReader()
    for (let i = 0; i < 20; i++) reader.push(Buffer.from(`X-${i}: ${'x'.repeat(100_000)}\r\n`))
  }, /do not end/)
})
