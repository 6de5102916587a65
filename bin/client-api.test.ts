import { readFile } from 'node:fs/promises'
import t from 'tap'
import { clientApi } from './client-api.ts'

t.test('the types of the client say what the table of routes says; if not, run npm run docs', async t => {
  for (const [path, text] of clientApi()) t.equal(await readFile(path, 'utf8'), text)
})
