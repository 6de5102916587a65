import t from 'tap'
import type { ClusterId } from '../api/peer.ts'
import type { PeerId } from '../api/pin.ts'
import { FakeClock } from '../clock.ts'
import { createPeerDirectory } from './peer-details.ts'

const peer = 'peer' as PeerId
const idNamed = (peername: string): ClusterId => ({ id: peer, peername, version: '', addresses: [], clusterPeers: [], clusterPeersAddresses: [], error: '', ipfs: { id: 'daemon', addresses: [], error: '' } })
const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve))

t.test('who asks first waits for the names, and nobody after that, though they are looked up anew', async t => {
  const clock = new FakeClock()
  let answer = async (): Promise<string> => 'one'
  let asked = 0
  const directory = createPeerDirectory({ clock, cluster: { async * peers () { asked++; yield idNamed(await answer()) } } })
  t.equal((await directory.details())(peer).peername, 'one')
  const late = Promise.withResolvers<string>()
  answer = async () => await late.promise

  clock.advance(60_000)
  t.equal((await directory.details())(peer).peername, 'one')
  t.equal((await directory.details())(peer).peername, 'one')
  late.resolve('two')
  await turn()

  t.equal((await directory.details())(peer).peername, 'two')
  t.equal(asked, 2)
})

t.test('names that do not come hold the first answer up for a second, and no more', async t => {
  const clock = new FakeClock()
  const directory = createPeerDirectory({ clock, cluster: { async * peers () { yield await new Promise<never>(() => {}) } } })
  const details = directory.details()

  clock.advance(1_000)

  t.equal((await details)(peer).peername, '')
})
