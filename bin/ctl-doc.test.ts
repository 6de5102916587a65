import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ctlDoc, ctlDocPath } from './ctl-doc.ts'

t.test('docs/ctl.md says what the code says; if not, run npm run docs', async t => {
  t.equal(await readFile(ctlDocPath, 'utf8'), ctlDoc())
})
