import t from 'tap'
import { parseEndpoint } from '../cluster/config/endpoint.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import { panel } from './panel.ts'
import type { PanelFacts } from './panel.ts'

const facts: PanelFacts = {
  id: '12D3KooWTest' as PeerId, peername: 'alice', peers: [], proxy: [], rest: [parseEndpoint('/ip4/127.0.0.1/tcp/9094')], restHasUsers: false, stats: undefined, daemon: 'none', folder: '/f', pins: 2
}
const secure = [{ ...facts.rest[0]!, secure: true }] as typeof facts.rest

for (const [what, change, said] of [
  ['at the usual place', {}, '--'],
  ['elsewhere', { rest: [parseEndpoint('/ip4/127.0.0.1/tcp/1')] }, '-- --host /ip4/127.0.0.1/tcp/1'],
  ['with TLS', { rest: secure }, '-- --https'],
  ['with a password', { restHasUsers: true }, '-- --basic-auth USER:PASSWORD --force-http'],
  ['with both', { rest: secure, restHasUsers: true }, '-- --basic-auth USER:PASSWORD']
] as const) {
  t.test(`the ctl is called as the REST API wants it: ${what}`, async t => {
    const lines = panel({ ...facts, ...change }).split('\n')

    t.ok(lines.includes(`  npm run -s ctl ${said} status`), lines.join('\n'))
  })
}

t.test('with a certificate the REST API is shown as https, with users that it wants a password', async t => {
  t.match(panel({ ...facts, rest: secure, restHasUsers: true }), /REST API +https:\/\/127\.0\.0\.1:9094 +for ipfs-cluster-ctl, with a password\n/)
})
