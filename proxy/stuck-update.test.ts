import { CID } from 'multiformats/cid'
import t from 'tap'
import { sha256Cid } from '../adder/leaf-blocks.ts'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import { FakeClock } from '../cluster/clock.ts'
import type { DaemonCalls } from './daemon-calls.ts'
import { stuckAt } from './stuck-update.ts'

const { signal } = new AbortController()
const [from, to, shared, old, replacing, further] = ['from', 'to', 'shared', 'old', 'replacing', 'further'].map(text => sha256Cid(1, 0x71, Buffer.from(text))) as [CID, CID, CID, CID, CID, CID]

/** Holds these nodes, by what they link to; when it is asked for another one it says that it has it not. */
function daemonWith (...nodes: ReadonlyArray<readonly [CID, ...CID[]]>): DaemonCalls {
  return {
    async value (_command: string, { query }: { query: ReadonlyArray<readonly [string, string]> }) {
      const node = nodes.find(([cid]) => cid.toString() === query[0]![1])
      if (node === undefined) throw new KuboRepliedError('block was not found locally (offline)', { status: 500, kuboCode: 0 })
      return { Data: { '/': { bytes: 'CAE' } }, Links: node.slice(1).map(cid => ({ Hash: { '/': cid!.toString() }, Name: 'x', Tsize: 1 })) }
    }
  } as unknown as DaemonCalls
}

const ask = async (daemon: DaemonCalls): Promise<string | undefined> => await stuckAt(from, to, { daemon, clock: new FakeClock(), signal })

t.test('a root that is not here is what it waits for', async t => {
  t.equal(await ask(daemonWith([from])), to.toString())
})

t.test('so is a node that takes the place of another', async t => {
  t.equal(await ask(daemonWith([from, shared, old], [to, shared, replacing], [old])), replacing.toString())
})

t.test('what nothing stood in the place of before is not named', async t => {
  t.equal(await ask(daemonWith([from, shared], [to, shared, further])), undefined)
})

t.test('an endless row of nodes is not followed to its end', async t => {
  let asked = 0
  const daemon = { async value () { return [{ '/': sha256Cid(1, 0x71, Buffer.from(`${++asked}`)).toString() }] } } as unknown as DaemonCalls

  t.equal(await ask(daemon), undefined)
  t.ok(asked < 1_000)
})
