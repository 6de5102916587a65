import { readFile, writeFile } from 'node:fs/promises'
import { clientApi } from './client-api.ts'
import { configurationDoc, docPath } from './configuration-doc.ts'
import { ctlDoc, ctlDocPath } from './ctl-doc.ts'
import { kuboApiDoc, kuboApiPath } from './kubo-api-doc.ts'
import { restDoc, restDocPath } from './rest-doc.ts'

/** Writes the pages that the code knows best; with `--check` it only says which are not up to date, and fails. */
const pages = new Map([...clientApi(), [docPath, await configurationDoc()], [kuboApiPath, kuboApiDoc()], [restDocPath, restDoc()], [ctlDocPath, ctlDoc()]])
for (const [path, text] of pages) {
  if (!process.argv.includes('--check')) await writeFile(path, text)
  else if (await readFile(path, 'utf8').catch(() => '') !== text) {
    console.error(`${path} is not up to date: npm run docs`)
    process.exitCode = 1
  }
}
