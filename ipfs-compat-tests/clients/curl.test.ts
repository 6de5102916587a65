import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../harness/folder.ts'
import { startPeer } from '../harness/peer.ts'

const isThere = spawnSync('curl', ['--version']).status === 0
const emptyDir = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const runTimeoutMs = 180_000
const big = 3 << 20

interface Call { readonly path: string, readonly args: readonly string[], readonly input?: string, readonly ofGo?: boolean }

/** `-D -` shows the head before the body. curl itself expects to be told to go on when an upload is large. */
const calls: Readonly<Record<string, Call>> = {
  'a call': { path: 'version', args: ['-X', 'POST'] },
  'a call of ours': { path: `pin/ls?arg=${emptyDir}`, args: ['-X', 'POST'] },
  'an upload with -F': { path: 'add', args: ['-F', 'file=@small'] },
  'two files, named': { path: 'add?wrap-with-directory=true', args: ['-F', 'file=@small;filename=folder%2Fone', '-F', 'file=@small;filename=two'] },
  'text as a file': { path: 'add?cid-version=1', args: ['-F', 'file=text'] },
  'an upload that waits to be told': { path: 'add?progress=true', args: ['-F', 'file=@big'] },
  'an upload that does not wait': { path: 'add?chunker=size-65536', args: ['-H', 'Expect:', '-F', 'file=@big'] },
  'a refusal of what waits': { path: 'add?hash=nope', args: ['-F', 'file=@big'] },
  'a refusal of what does not': { path: 'add?pin=maybe', args: ['-H', 'Expect:', '-F', 'file=@small'] },
  'an upload to the daemon': { path: 'files/write?arg=/curl&create=true&truncate=true', args: ['-F', 'file=@big'] },
  'an upload without a known length': { path: 'block/put', args: ['-X', 'POST', '-H', 'Content-Type: multipart/form-data; boundary=b', '-T', '-'], input: '--b\r\nContent-Disposition: form-data; name="data"; filename="d"\r\n\r\nfrom stdin\r\n--b--\r\n', ofGo: true },
  'HTTP/1.0': { path: `pin/ls?arg=${emptyDir}`, args: ['--http1.0', '-X', 'POST'] },
  'HTTP/1.0, an upload': { path: 'add', args: ['--http1.0', '-F', 'file=@small'] },
  'HTTP/1.0, an error': { path: 'pin/add?arg=notacid', args: ['--http1.0', '-X', 'POST'] },
  'compression, if there were any': { path: 'repo/version', args: ['--compressed', '-X', 'POST'] },
  'GET': { path: 'version', args: [] },
  'HEAD': { path: 'pin/ls', args: ['-I'] },
  'a page': { path: `pin/ls?arg=${emptyDir}`, args: ['-X', 'POST', '-H', 'Origin: http://localhost:1'] },
  'raw letters in the target': { path: 'cat?arg=/ipfs/ünï', args: ['-X', 'POST'] },
  'a timeout': { path: 'pin/add?arg=bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy&timeout=300ms', args: ['-X', 'POST', '-f', '--no-progress-meter'] }
}

t.test('curl hears from the proxy what it hears from the daemon behind it', { skip: !isThere && 'there is no curl' }, async t => {
  await using peer = await startPeer()
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'small'), 'hello\n')
  await writeFile(join(folder.path, 'big'), Buffer.alloc(big, 'x'))
  for (const [name, call] of Object.entries(calls).filter(([, { ofGo }]) => ofGo !== true || peer.daemon.kind === 'kubo')) {
    const ours = await run(peer.port, folder.path, call)
    const theirs = await run(peer.daemon.port, folder.path, call)

    t.strictSame(ours, theirs, name)
  }

  await t.test('and what it added is a pin', async t => {
    const { out } = await run(peer.port, folder.path, { path: 'pin/ls?type=recursive&names=true', args: ['-X', 'POST'] })

    t.match(out, 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN')
  })
})

async function run (port: number, cwd: string, { path, args, input = '' }: Call): Promise<{ readonly code: number | null, readonly out: string, readonly err: string }> {
  const child = spawn('curl', ['-sS', '-D', '-', '--max-time', '170', ...args, `http://127.0.0.1:${port}/api/v0/${path}`], { cwd, timeout: runTimeoutMs, stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text })
  child.stdin.on('error', () => {}).end(input)
  const [code] = await once(child, 'close') as [number | null]
  return { code, out: comparable(out, port), err: comparable(err, port) }
}

/** Ticks of progress depend on how the bytes arrived, and whether an upload without a length was over when its answer began. */
const comparable = (text: string, port: number): string => text.replace(/^(?:Date: .*|Connection: close)\r\n/gm, '').replace(/\{"Name":"[^"]*","Bytes":\d+\}\n/g, '').replaceAll(String(port), 'PORT')
