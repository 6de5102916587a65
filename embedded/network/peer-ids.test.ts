import t from 'tap'
import { parsePeerId, peerIdSpelling } from './peer-ids.ts'

const plain = '12D3KooWHMsmmucUiBLNxT5Bm4ukt9WqrgXs75pN46F8GaUZFmDW'
const spellings = {
  b58mh: plain,
  v0: plain,
  base36: 'k51qzi5uqu5diz5j75gwsuhhizna9h7nmy6k8kb6crnokc812d29fp2pq73h05',
  base32: 'bafzaajaiaejca4aujfyyojjbl3vpvsyhpvl4kps4enrtmi6mbfaku35lrpwvjf6v',
  z: 'z5AanNVJCxnNNtree6BmC2mwyzWnkMuFTF3Fb7QFaVkQg4CWQ3QeTR6'
}

t.test('a peer id is spelt as Kubo spells it, and read in any spelling', async t => {
  for (const [base, text] of Object.entries(spellings)) {
    t.equal(peerIdSpelling(base)(plain), text, base)
    t.equal(parsePeerId(text), plain, base)
  }
  t.throws(() => peerIdSpelling('nope'), { message: 'unsupported multibase encoding: nope' })
})

t.test('what is no peer id is refused in the words of go-libp2p', async t => {
  t.throws(() => parsePeerId('x'), { message: 'failed to parse peer ID: invalid cid: cid too short' })
  t.throws(() => parsePeerId('nope'), { message: 'failed to parse peer ID: invalid cid: selected encoding not supported' })
  t.throws(() => parsePeerId('bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi'), { message: 'can\'t convert CID of type "raw" to a peer ID' })
  for (const text of ['Qm', '1', 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff0o', '12D3Koo']) t.throws(() => parsePeerId(text), { message: /^failed to parse peer ID: / }, text)
})
