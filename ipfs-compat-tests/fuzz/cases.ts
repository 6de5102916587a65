/** What was found: a request, word for word, that once was not answered as it has to be, and how it has to be. */
export interface FoundCase { readonly name: string, readonly request: string, readonly answer: RegExp, readonly endsItsSide?: boolean }

const upload = (path: string, rest: string): string => `POST /api/v0/${path} HTTP/1.1\r\nHost: fuzz\r\nContent-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n${rest}`
const file = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n--b--\r\n'

const deepFile = `--b\r\nContent-Disposition: form-data; name="file"; filename="${'d/'.repeat(100_000)}f"\r\n\r\nx\r\n--b--\r\n`
const deep = (path: string): string => upload(path, `Content-Length: ${deepFile.length}\r\n\r\n${deepFile}`)

export const foundCases: readonly FoundCase[] = [
  { name: 'a transfer encoding that is none (it hung)', request: upload('block/put', 'Transfer-Encoding: hunked\r\n\r\n5\r\nhello\r\n'), answer: /^HTTP\/1\.1 501 Not Implemented\r\n/ },
  { name: 'a transfer encoding before the chunks', request: upload('add', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'), answer: /^HTTP\/1\.1 501 Not Implemented\r\n/ },
  { name: 'a chunk that is none, for the peer (it hung)', request: upload('add', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n'), answer: /^HTTP\/1\.1 400 Bad Request\r\n/ },
  { name: 'a chunk that is none, for the daemon (it hung)', request: upload('files/write?arg=/x&create=true', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhelloxx0\r\n\r\n'), answer: /^HTTP\/1\.1 400 Bad Request\r\n/ },
  { name: 'a name of very many directories, for the peer (it ended the process)', request: deep('add'), answer: /^HTTP\/1\.1 500 Internal Server Error\r\n[^]*more than 4096 directories/ },
  { name: 'a name of very many directories, for the daemon (it ended the process)', request: deep('add?only-hash=true'), answer: /^HTTP\/1\.1 500 Internal Server Error\r\n[^]*more than 4096 directories/ },
  { name: 'half an upload over HTTP/1.0 (it hung)', request: upload('refs', 'Content-Length: 97\r\n\r\n--b\r\nContent-Dis').replace('HTTP/1.1', 'HTTP/1.0'), endsItsSide: true, answer: /^HTTP\/1\.0 [45]00 / },
  { name: 'half an upload over HTTP/1.0 of a caller that the daemon refuses (it ended the process)', request: upload('add', 'Origin: http://evil.example\r\nContent-Length: 97\r\n\r\n--b\r\nContent-Dis').replace('HTTP/1.1', 'HTTP/1.0'), endsItsSide: true, answer: /^HTTP\/1\.0 403 / },
  { name: 'half an upload over HTTP/1.0 (it got no answer)', request: upload('add', 'Content-Length: 97\r\n\r\n--b\r\nContent-Dis').replace('HTTP/1.1', 'HTTP/1.0'), endsItsSide: true, answer: /^HTTP\/1\.0 500 / },
  { name: 'half an upload of a caller that the daemon is asked about (it hung)', request: upload('add', 'Origin: http://evil.example\r\nContent-Length: 116\r\n\r\n--b\r\n'), endsItsSide: true, answer: /^(?:HTTP\/1\.1 403 Forbidden\r\n|$)/ },
  { name: 'an add to a daemon that pins nothing (the embedded one refused it)', request: upload('add?pin=false&only-hash=true', `Content-Length: ${file.length}\r\n\r\n${file}`), answer: /^HTTP\/1\.1 200 OK\r\n[^]*"Hash":"QmWfVY9y3xjsixTgbd9AorQxH7VtMpzfx2HaWtsoUYecaX"/ }
]
