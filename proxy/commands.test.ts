import t from 'tap'
import { CID } from 'multiformats/cid'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import { wideCar } from '../ipfs-compat-tests/harness/cars.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { startPeer } from '../ipfs-compat-tests/harness/peer.ts'
import type { Peer } from '../ipfs-compat-tests/harness/peer.ts'

/** Asks the proxy, or with `daemon` the daemon behind it. */
async function ask ({ host, port, daemon }: Peer, path: string, { at = 'proxy', body }: { at?: 'proxy' | 'daemon', body?: FormData } = {}): Promise<{ status: number, text: string }> {
  const [to, on] = at === 'proxy' ? [host, port] : [daemon.host, daemon.port]
  const response = await fetch(`http://${to}:${on}/api/v0/${path}`, { method: 'POST', body: body ?? null })
  return { status: response.status, text: await response.text() }
}

async function block (peer: Peer, text: string): Promise<string> {
  const body = new FormData()
  body.append('file', new Blob([text]), 'b')
  return (JSON.parse((await ask(peer, 'block/put', { at: 'daemon', body })).text) as { Key: string }).Key
}
function directory (): FormData {
  const body = new FormData()
  body.append('file', new Blob([], { type: 'application/x-directory' }), 'd')
  return body
}
const errorOf = ({ text }: { text: string }): string => (JSON.parse(text) as { Message: string }).Message
const keysOf = ({ text }: { text: string }): Record<string, { Type: string, Name: string }> => (JSON.parse(text) as { Keys?: Record<string, { Type: string, Name: string }> }).Keys ?? {}

t.test('a peer in front of a daemon that has pins already', async t => {
  await using peer = await startPeer()
  const [a, b, c] = [await block(peer, 'a'), await block(peer, 'b'), await block(peer, 'c')]
  await ask(peer, `pin/add?arg=${a}&name=before`, { at: 'daemon' })

  await t.test('its pins are listed with those of the cluster', async t => {
    await ask(peer, `pin/add?arg=${b}&name=ours`)

    const keys = keysOf(await ask(peer, 'pin/ls?type=recursive&names=true'))

    t.strictSame([keys[a], keys[b]], [{ Type: 'recursive', Name: 'before' }, { Type: 'recursive', Name: 'ours' }])
    t.equal(await peer.cluster.state.count(), 1, 'but only ours is of the cluster')
  })

  await t.test('a filter finds them by their names', async t => {
    t.strictSame(Object.keys(keysOf(await ask(peer, 'pin/ls?name=befo'))), [a])
    t.strictSame(Object.keys(keysOf(await ask(peer, 'pin/ls?name=our'))), [b])
  })

  await t.test('pin/update takes one over with its name', async t => {
    const { text } = await ask(peer, `pin/update?arg=${a}&arg=${c}`)

    t.equal(text, `{"Pins":["${a}","${c}"]}\n`)
    t.match((await peer.cluster.state.get(CID.parse(c)))?.pin, { name: 'before', mode: 'recursive' })
    t.notOk(a in keysOf(await ask(peer, 'pin/ls')))
  })

  await t.test('pinning one again makes it the cluster its own', async t => {
    await ask(peer, `pin/add?arg=${a}`, { at: 'daemon' })

    await ask(peer, `pin/add?arg=${a}&name=mine`)

    t.match((await peer.cluster.state.get(CID.parse(a)))?.pin, { name: 'mine' })
  })

  await t.test('pin/rm takes away both kinds, and says of neither what Kubo would not', async t => {
    const foreign = await block(peer, 'foreign')
    await ask(peer, `pin/add?arg=${foreign}`, { at: 'daemon' })

    t.equal((await ask(peer, `pin/rm?arg=${foreign}`)).text, `{"Pins":["${foreign}"]}\n`)
    t.equal((await ask(peer, `pin/rm?arg=${a}`)).text, `{"Pins":["${a}"]}\n`)
    t.equal(errorOf(await ask(peer, `pin/rm?arg=${a}`)), 'not pinned or pinned indirectly')
    t.notOk(a in keysOf(await ask(peer, 'pin/ls', { at: 'daemon' })), 'the daemon has let go of it when the answer comes')
  })

  await t.test('block/rm refuses what is pinned', async t => {
    t.equal((await ask(peer, `block/rm?arg=${b}`)).text, `{"Hash":"${b}","Error":"pinned: recursive"}\n`)
  })
})

t.test('a pin of the cluster that this daemon does not hold is listed all the same', async t => {
  await using peer = await startPeer({ env: { CLUSTER_IPFSPROXY_PINWAIT: 'commit' } })
  const nowhere = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  await peer.cluster.pin(nowhere, { ...defaultPinOptions, name: 'later' }, { wait: 'commit', signal: new AbortController().signal })

  const all = keysOf(await ask(peer, 'pin/ls?names=true'))
  const one = await ask(peer, `pin/ls?arg=${nowhere.toString()}&type=recursive`)
  const refused = await ask(peer, `block/rm?arg=${nowhere.toString()}&force=true`)

  t.strictSame(all[nowhere.toString()], { Type: 'recursive', Name: 'later' })
  t.equal(one.status, 200)
  t.match(refused.text, 'pinned: recursive')
})

t.test('what another peer has just unpinned is gone, though this daemon has not let go of it yet', async t => {
  await using peer = await startPeer()
  const cid = await block(peer, 'leaving')
  await ask(peer, `pin/add?arg=${cid}`, { at: 'daemon' })
  t.ok(cid in keysOf(await ask(peer, 'pin/ls')))

  Object.assign(peer.cluster, { isLettingGo: (one: CID) => one.toString() === cid })

  t.notOk(cid in keysOf(await ask(peer, 'pin/ls')))
  for (const type of ['all', 'recursive']) t.equal(errorOf(await ask(peer, `pin/ls?arg=${cid}&type=${type}`)), `path '${cid}' is not pinned`)
  t.equal(errorOf(await ask(peer, `pin/rm?arg=${cid}`)), 'not pinned or pinned indirectly')
})

t.test('bad input is refused in the words of Kubo', async t => {
  await using peer = await startPeer()
  const cid = await block(peer, 'x')
  const cases: readonly (readonly [string, number, string])[] = [
    ['pin/add', 400, 'argument "ipfs-path" is required\n'],
    ['pin/update?arg=a', 400, 'argument "to-path" is required\n'],
    [`pin/add?arg=${cid}&recursive=maybe`, 400, 'could not convert value "maybe" to type "bool" (for option "-recursive")\n'],
    ['repo/stat?size-only=x', 400, 'could not convert value "x" to type "bool" (for option "-size-only")\n'],
    [`pin/add?arg=${cid}&encoding=foo`, 400, 'invalid encoding: foo\n'],
    ['add', 400, "file argument 'path' is required\n"],
    [`pin/add?arg=${cid}&timeout=5`, 200, '']
  ]
  for (const [path, status, text] of cases) t.strictSame(await ask(peer, path), { status, text }, path)
  t.equal(errorOf(await ask(peer, `pin/add?arg=${cid}&name=${'n'.repeat(256)}`)), 'pin name is 256 bytes (max 255 bytes)')
  t.equal(errorOf(await ask(peer, 'pin/ls?type=foo')), "invalid type 'foo', must be one of {direct, indirect, recursive, all}")
  for (const [path, refusal] of [['block/put?pin=true', 'expected a file'], ['dag/put?pin=true', 'expected a regular file'], ['dag/import', 'expected a file handle']] as const) {
    for (const at of ['proxy', 'daemon'] as const) t.equal(errorOf(await ask(peer, path, { at, body: directory() })), refusal, `a directory for ${path}, asked of the ${at}`)
  }
  t.equal(await peer.cluster.state.count(), 0, 'and nothing is pinned')
})

t.test('a name may hold any characters', async t => {
  await using peer = await startPeer()
  const cid = await block(peer, 'named')
  const name = 'a\u0001\n\t"\\<&> é \u2028'

  await ask(peer, `pin/add?arg=${cid}&name=${encodeURIComponent(name)}`)

  t.equal(keysOf(await ask(peer, `pin/ls?arg=${cid}&names=true`))[cid]?.Name, name)
  await ask(peer, `pin/add?arg=${cid}&name=no%ffutf8`)
  for (const filter of ['o%ffu', 'no', '%EF%BF%BD']) t.equal(keysOf(await ask(peer, `pin/ls?name=${filter}`))[cid]?.Name, 'no\ufffdutf8', `found by ${filter}`)
})

t.test('a pin that times out leaves nothing behind', async t => {
  await using peer = await startPeer()

  const answer = await ask(peer, 'pin/add?arg=bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy&timeout=300ms')

  t.equal(answer.status, 500)
  t.match(errorOf(answer), 'context deadline exceeded')
  t.equal(await peer.cluster.state.count(), 0)
})

t.test('a timeout that is over before anything begins changes nothing', async t => {
  await using peer = await startPeer()
  const [pinned, other] = [await block(peer, 'pinned'), await block(peer, 'other')]
  await ask(peer, `pin/add?arg=${pinned}&name=kept`)
  const before = await ask(peer, 'pin/ls?names=true')

  for (const timeout of ['0s', '-1s', '1ns']) {
    for (const path of [`pin/rm?arg=${pinned}`, `pin/add?arg=${other}`, `pin/update?arg=${pinned}&arg=${other}`]) {
      t.match(await ask(peer, `${path}&timeout=${timeout}`), { status: 500, text: /context deadline exceeded|could not resolve name/ }, `${path} ${timeout}`)
    }
  }

  t.strictSame(await ask(peer, 'pin/ls?names=true'), before)
  t.equal(await peer.cluster.state.count(), 1)
})

t.test('who waits for a pin is told when the proxy closes', async t => {
  const peer = await startPeer()
  const asking = ask(peer, 'pin/add?arg=bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
  await eventually('the pin is agreed on', async () => await peer.cluster.state.count() === 1)

  await peer[Symbol.asyncDispose]()

  t.match(errorOf(await asking), 'the proxy is closing')
})

t.test('repo/stat has its five keys, and repo/gc frees what was unpinned', async t => {
  await using peer = await startPeer()
  const cid = await block(peer, 'short-lived')
  await ask(peer, `pin/add?arg=${cid}`)
  await ask(peer, `pin/rm?arg=${cid}`)

  const stat = await ask(peer, 'repo/stat')
  const gc = await ask(peer, 'repo/gc')

  t.match(stat.text, /^\{"RepoSize":\d+,"StorageMax":\d+,"NumObjects":\d+,"RepoPath":"[^"]+","Version":"fs-repo@\d+"\}\n$/)
  t.match(gc.text, `{"Key":{"/":"${cid}"}}\n`)
})

t.test('what is not to be announced to the network is agreed on so, for every command that pins', async t => {
  await using peer = await startPeer()
  const { pin } = peer.cluster
  const asked: (readonly string[] | undefined)[] = []
  Object.assign(peer.cluster, {
    async pin (...[cid, options, call]: Parameters<typeof pin>) {
      asked.push(call.unannounced)
      return await pin(cid, options, call)
    }
  })
  const [one, two] = [await block(peer, 'one'), await block(peer, 'two')]
  const file = new FormData()
  file.append('file', new Blob(['a file']), 'f')
  const cars = new FormData()
  cars.append('file', new Blob([Buffer.concat(wideCar(1).pieces)]), 'car')

  const answers = [
    await ask(peer, `pin/add?arg=${one}&fast-provide-root=false`),
    await ask(peer, `pin/update?arg=${one}&arg=${two}&fast-provide-dag=false`),
    await ask(peer, 'add?fast-provide-root=false&fast-provide-wait=false', { body: file }),
    await ask(peer, 'dag/import?fast-provide-root=f', { body: cars })
  ]

  t.strictSame(asked, [['root'], ['dag'], ['root', 'wait'], ['root']])
  t.strictSame(answers.map(({ status }) => status), [200, 200, 200, 200])
})
