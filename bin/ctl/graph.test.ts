import t from 'tap'
import { dotText } from './graph.ts'

const graph = {
  cluster_id: 'QmSelf000001',
  id_to_peername: { QmSelf000001: 'me', QmPeer000002: '</B><script>"\u001b[2J' },
  ipfs_links: { QmDaemon0001: ['QmDaemon0002', 'QmAway000009'], QmDaemon0002: ['QmDaemon0001'] },
  cluster_links: { QmSelf000001: ['QmPeer000002'], QmPeer000002: ['QmSelf000001'], QmSilent0003: [] },
  cluster_trust_links: { QmSelf000001: true, QmPeer000002: true, QmSilent0003: true },
  cluster_to_ipfs: { QmSelf000001: 'QmDaemon0001', QmPeer000002: 'QmDaemon0002' }
}
const edgesIn = (text: string): string[] => text.split('\n').filter(line => line.includes('->'))

t.test('peers, daemons and links are drawn; who did not answer is drawn red', async t => {
  const text = dotText(graph, false)

  t.strictSame(edgesIn(text), ['T0 -> C1', 'C1 -> T0', 'T0 -> I1', 'C1 -> I0', 'T2 -> I2 [ style="dotted" ]', 'I0 -> I1', 'I1 -> I0'])
  t.match(text, /\nI2 \[label=< <B> IPFS <\/B> <BR\/> <B> Errored <\/B> > group="QmSilent0003" color="firebrick1"/)
})

t.test('nodes outside the cluster are drawn on request', async t => {
  t.match(edgesIn(dotText(graph, true)), ['T0 -> C1', 'C1 -> T0', 'T0 -> I2', 'C1 -> I1', 'T2 -> I3 [ style="dotted" ]', 'I1 -> I2', 'I1 -> I0', 'I2 -> I1'])
})

t.test('a name is no markup and does not reach the terminal as it is', async t => {
  const text = dotText(graph, false)

  t.match(text, '<B> &#60;/B&#62;&#60;script&#62;&#34;\\u001b[2J </B>')
  t.notMatch(text, '\u001b')
})
