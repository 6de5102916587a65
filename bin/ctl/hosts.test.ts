import t from 'tap'
import { parseHosts } from './hosts.ts'

const id = '12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'

t.test('a host is where HTTP is spoken, or a peer that libp2p reaches', async t => {
  t.match(await parseHosts('/ip4/127.0.0.1/tcp/1,/dns4/a,/ip6/::1/tcp/2/https,/unix/run/a.sock'), [
    { kind: 'tcp', host: '127.0.0.1', port: 1, secure: false }, { kind: 'tcp', host: 'a', port: 9094 }, { kind: 'tcp', host: '::1', port: 2, secure: true }, { kind: 'unix', path: '/run/a.sock' }
  ])
  t.strictSame(await parseHosts(`/ip4/1.2.3.4/tcp/9098/p2p/${id},/dns4/a/tcp/1/ipfs/${id},/dnsaddr/example.com,/dnsaddr/example.com/p2p/${id}`), [
    { kind: 'libp2p', multiaddr: `/ip4/1.2.3.4/tcp/9098/p2p/${id}` }, { kind: 'libp2p', multiaddr: `/dns4/a/tcp/1/p2p/${id}` }, { kind: 'libp2p', multiaddr: '/dnsaddr/example.com' }, { kind: 'libp2p', multiaddr: `/dnsaddr/example.com/p2p/${id}` }
  ])
})

for (const [text, why] of Object.entries({
  '': /expected a multiaddr/,
  'localhost:9094': /expected a multiaddr/,
  'http://localhost:9094': /expected a multiaddr/,
  '/ip4/300.1.1.1.1/tcp/1': /expected a multiaddr/,
  '/ip4/127.0.0.1/tcp/99999': /expected a multiaddr/,
  '/ip4/127.0.0.1/tcp/1,': /expected a multiaddr/,
  '/ip4/127.0.0.1/udp/1/quic-v1': /expected a multiaddr/,
  [`/ip4/127.0.0.1/udp/1/quic-v1/p2p/${id}`]: /expected a multiaddr like .*\/p2p\//,
  '/p2p/': /expected a multiaddr like .*\/p2p\//,
  '/ip4/127.0.0.1/tcp/1/p2p/nobody': /not a peer id: "nobody"/,
  '/dnsaddr/': /expected a multiaddr like .*\/dnsaddr\//
})) {
  t.test(`refuses ${JSON.stringify(text)}`, async t => {
    await t.rejects(parseHosts(text), { message: why })
  })
}
