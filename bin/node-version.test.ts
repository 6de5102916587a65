import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { whyNotNode } from './node-version.ts'

t.test('a Node that is too old is told so', async t => {
  t.equal(whyNotNode('22.20.0'), 'Node 24 or newer is needed, and this is 22.20.0')
  t.strictSame([whyNotNode('24.0.0'), whyNotNode('100.1.0'), whyNotNode(process.versions.node)], [undefined, undefined, undefined])
})

for (const program of ['ipfs-cluster-service.ts', 'ipfs-cluster-ctl.ts', 'ipfs-cluster-ctl.js']) {
  t.test(`${program} begins with nothing that an old Node cannot read, so that it comes to say so`, async t => {
    const source = await readFile(join(import.meta.dirname, program), 'utf8')

    const imported = [...source.matchAll(/^import .*$/gm)].map(([line]) => line)

    t.strictSame(imported.filter(line => !["import module from 'node:module'", "import { whyNotNode } from './node-version.ts'"].includes(line)), [])
    t.match(source, /Node 24|whyNotNode\(process\.versions\.node\)/)
  })
}
