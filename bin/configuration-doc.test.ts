import { readFile } from 'node:fs/promises'
import t from 'tap'
import { configurationDoc, docPath } from './configuration-doc.ts'

t.test('docs/configuration.md says what the code says; if not, run npm run docs', async t => {
  t.equal(await readFile(docPath, 'utf8'), await configurationDoc())
})
