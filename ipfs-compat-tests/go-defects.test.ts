/** docs/go-defects.md: that it is whole, and what is tested nowhere else. */
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { startPeer } from './harness/peer.ts'
import { inlineCidOf } from './harness/pins.ts'
import { runCtl } from './harness/process.ts'
import { rpcLines, rpcResponse } from './harness/rpc.ts'
import { multipartOf, upload } from './harness/upload.ts'

t.setTimeout(1_800_000)

const root = new URL('../', import.meta.url)
const peer = await startPeer()
t.teardown(async () => { await peer[Symbol.asyncDispose]() })
const ctl = async (...args: string[]) => await runCtl(['--host', `/ip4/127.0.0.1/tcp/${new URL(peer.rest).port}`, ...args])
const pinset = async (): Promise<string> => await (await fetch(`${peer.rest}/allocations`)).text()

t.test('all 34 are in the table, each with tests or the reason why it has none, and each test exists', async t => {
  const page = await readFile(new URL('docs/go-defects.md', root), 'utf8')
  const rows = page.split('\n').filter(line => /^\| \d/.test(line)).map(line => line.split('|').map(cell => cell.trim()))

  t.strictSame(rows.map(([, number]) => Number(number)), Array.from({ length: 34 }, (_, i) => i + 1))
  for (const [, number, , here, tests] of rows) {
    if (here === 'none of ours') continue
    const named = tests!.split('<br>').map(test => /^`([^`]+)` (.+)$/.exec(test))
    t.notOk(named.includes(null), `${number}: ${tests}`)
    for (const [, file, title] of named as RegExpExecArray[]) {
      const text = (await readFile(new URL(file!, root), 'utf8')).replaceAll('\\\'', '\'')
      t.ok(text.includes(`'${title}'`) || text.includes(`: ${title}\``), `${number}: ${file}: ${title}`)
    }
  }
})

t.test('what is asked with an option that cannot be is refused once, and nothing is pinned', async t => {
  const cid = inlineCidOf('refused').toString()

  for (const query of ['mode=sideways', 'user-allocations=nobody', 'replication-min=x', 'replication-min=3&replication-max=2', 'expire-at=tomorrow', 'pin-update=nothing', 'origins=nowhere']) {
    const response = await fetch(`${peer.rest}/pins/${cid}?${query}`, { method: 'POST' })
    const text = await response.text()

    t.equal(response.status, 400, `${query}: ${text}`)
    t.strictSame(Object.keys(JSON.parse(text)), ['code', 'message'], 'one answer')
  }
  t.equal(await pinset(), '')
})

t.test('only-hash tells the CID, and nothing is added', async t => {
  const lines = await rpcLines<{ Name: string, Hash: string }>(peer, 'add?only-hash=true&cid-version=1', [{ name: 'a.txt', content: 'only its hash' }])

  t.equal(lines.length, 1)
  t.match(lines, [{ Name: 'a.txt', Hash: /^bafk/ }])
  t.equal(await pinset(), '')
  t.equal((await rpcResponse(peer, `block/stat?arg=${lines[0]!.Hash}&offline=true`)).status, 500)
})

t.test('a file without a name is called by its CID', async t => {
  const body = Buffer.from(multipartOf([{ body: 'nameless' }]).toString().replace('; filename="f"', '; filename=""'))

  const { status, lines } = await upload(peer.port, 'add?cid-version=1', body)

  t.equal(status, 200)
  t.equal(lines.at(-1)!['Name'], lines.at(-1)!['Hash'])
})

t.test('ctl refuses what it cannot do with an exit code, and JSON is JSON', async t => {
  const cid = inlineCidOf('not pinned').toString()
  const stranger = '12D3KooWNB1bYbQCbKcHQ6cfWSgJX6VzbpRHCsrpcPVKQtmCLwrQ'

  for (const args of [['pin', 'add', '--allocations', 'nobody', cid], ['pin', 'add', '--mode', 'sideways', cid], ['peers', 'rm', stranger]]) {
    const { code, out, err } = await ctl(...args)
    t.ok(code === 1 || code === 2, `${args.join(' ')}: ${code}, ${out}${err}`)
    t.match(out + err, /parsing peer ID: not a peer id: "nobody"|--mode: expected recursive or direct, got "sideways"|is not a member of this cluster/)
  }
  t.notMatch(await pinset(), cid)
  t.type(JSON.parse((await ctl('--enc=json', 'health', 'graph')).out), 'object')
})
