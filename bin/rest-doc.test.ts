import { readFile } from 'node:fs/promises'
import t from 'tap'
import { restDoc, restDocPath } from './rest-doc.ts'

t.test('docs/rest-api.md says what the code says; if not, run npm run docs', async t => {
  t.equal(await readFile(restDocPath, 'utf8'), restDoc())
})
