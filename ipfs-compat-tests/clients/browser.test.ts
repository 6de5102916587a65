import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { startPeer } from '../harness/peer.ts'
import { chromium, startPage } from './chromium.ts'

const emptyDir = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'

/** As the WebUI asks: a POST with the page's own Origin, Referer and User-Agent, which the browser sets and no script can. */
const call = (api: string, path: string, init = ''): string => `fetch('${api}/api/v0/${path}', { method: 'POST', ${init} }).then(async answer => ({ status: answer.status, text: await answer.text(), server: answer.headers.get('server'), chunked: answer.headers.get('x-chunked-output') }))`

t.test('a page in a browser', { skip: chromium === undefined && 'there is no Chromium' }, async t => {
  await using other = await somePage()
  await using stranger = await somePage()
  await using peer = await startPeer({ config: { API: { HTTPHeaders: { 'Access-Control-Allow-Origin': [other.origin], 'Access-Control-Allow-Credentials': ['true'], 'X-Own': ['mine'] } } } })
  await using page = await startPage()
  const own = `http://127.0.0.1:${peer.port}`

  await t.test('that came through the proxy may call what the WebUI calls', async t => {
    await page.open(`${own}/version`)

    for (const path of ['id', 'version', 'repo/stat', 'swarm/peers?verbose=true', `pin/ls?stream=true&type=recursive`, `pin/ls?arg=${emptyDir}`, 'files/stat?arg=/', 'files/ls?arg=/&long=true', 'key/list', 'config?arg=Addresses', 'bitswap/wantlist', `ls?arg=${emptyDir}`, `dag/get?arg=${emptyDir}`, `block/stat?arg=${emptyDir}`]) {
      t.match(await page.evaluate(call('', path)), { status: 200 }, path)
    }
    t.match(await page.evaluate(call('', 'pin/rm?arg=notacid')), { status: 500, text: /invalid path/ })
    t.match(await page.evaluate(call('', 'nope')), { status: 404 })
  })

  await t.test('uploads a form, reads it in pieces and pins it', async t => {
    const added = await page.evaluate(`(async () => {
      const form = new FormData()
      form.append('file', new Blob(['x'.repeat(600000)]), encodeURIComponent('a file.txt'))
      return await ${call('', 'add?progress=true&cid-version=1', 'body: form')}
    })()`) as { readonly text: string }
    const { Name, Hash } = JSON.parse(added.text.trim().split('\n').at(-1)!) as { readonly Name: string, readonly Hash: string }
    const length = await page.evaluate(`(async () => {
      const reader = (await fetch('/api/v0/cat?arg=${Hash}', { method: 'POST' })).body.getReader()
      let length = 0
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) length += piece.value.length
      return length
    })()`)

    t.equal(Name, 'a file.txt')
    t.equal(length, 600_000)
    t.ok(await peer.cluster.state.get(CID.parse(Hash)))
    t.match(await page.evaluate(call('', `files/cp?arg=/ipfs/${Hash}&arg=/a`)), { status: 200 })
  })

  await t.test('of another origin may call what the daemon lets it, and sees the daemon\'s headers', async t => {
    await page.open(`${other.origin}/`)

    for (const path of ['version', `pin/ls?arg=${emptyDir}`]) t.match(await page.evaluate(call(own, path, 'credentials: "include"')), { status: 200 }, path)
    t.match(await page.evaluate(call(own, `pin/ls?stream=true&type=recursive`)), { status: 200, chunked: '1' }, 'headers that are exposed')
    t.match(await page.evaluate(call(own, 'pin/add?arg=notacid', 'headers: { "X-Requested-With": "page" }')), { status: 500, text: /invalid path/ }, 'after a preflight')
    await t.rejects(page.evaluate(call(own, 'id', 'headers: { "X-Strange": "1" }')), /Failed to fetch/, 'a header that is not allowed')
  })

  await t.test('of any other origin may call nothing', async t => {
    await page.open(`${stranger.origin}/`)

    for (const path of ['version', `pin/ls?arg=${emptyDir}`, 'shutdown']) await t.rejects(page.evaluate(call(own, path)), /Failed to fetch/, path)
    await page.evaluate(`fetch('${own}/api/v0/pin/rm?arg=${emptyDir}', { method: 'POST', mode: 'no-cors' })`)
    await page.open(`${own}/version`)
    t.match(await page.evaluate(call('', `pin/ls?arg=${emptyDir}`)), { status: 200 }, 'not even unseen')
  })
})

async function somePage (): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer((_, response) => { response.setHeader('content-type', 'text/html').end('<title>other</title>') }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose] () {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
