import { connect } from 'node:net'
import t from 'tap'
import { readAll } from '../harness/proxy-alone.ts'
import { foundCases } from './cases.ts'
import { fuzz } from './run.ts'
import { startTarget } from './target.ts'

t.setTimeout(900_000)

t.test('what was found once stays mended', async t => {
  await using target = await startTarget()
  for (const { name, request, answer, endsItsSide = false } of foundCases) {
    const client = connect({ host: target.host, port: target.port, allowHalfOpen: true })
    client.write(request, 'latin1')
    if (endsItsSide) client.end()

    t.match(await readAll(client), answer, name)
    client.destroy()
  }
  await t.resolves(target.assertWell())

  await t.test('an add that only the daemon can do took away the pin of an empty identity block', async t => {
    const at = `http://${target.host}:${target.port}/api/v0`
    const body = new FormData()
    body.append('file', new Blob(['x']), 'x')

    await fetch(`${at}/pin/add?arg=bafkqaaa`, { method: 'POST' })
    const added = await fetch(`${at}/add?to-files=/`, { method: 'POST', body })

    t.match(await added.text(), '"Hash"')
    await t.resolves(target.assertWell())
  })
})

t.test('whatever is sent, a peer answers, agrees with its daemon, and holds no more than before', async t => {
  const { findings, answered } = await fuzz({ seed: 7, seconds: 30, atOnce: 1 })

  t.strictSame(findings, [])
  t.ok(answered > 0)
})
