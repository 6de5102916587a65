import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readHistory } from '../history.ts'
import { say } from '../output.ts'
import { barsSvg } from './bars.ts'
import { curvesSvg } from './curves.ts'
import { growthCurves } from './growth.ts'
import { barOf, lastResults, resultsTable } from './results.ts'

const docs = new URL('../../docs/', import.meta.url)
const [begins, ends] = ['<!-- results: written by `npm run bench -- plots` -->', '<!-- end of results -->']

/** Draws what `history.jsonl` says into `docs/plots`, and writes the table of `docs/performance.md`. */
export async function bench (): Promise<void> {
  const figures = await readHistory()
  const results = lastResults(figures)
  const drawn = new Map([...growthCurves(figures)].map(([name, curves]) => [name, curvesSvg(curves)]))
  if (results.length > 0) drawn.set('results', barsSvg('The last results beside their goals', results.map(barOf)))
  await mkdir(new URL('plots/', docs), { recursive: true })
  for (const [name, content] of drawn) await writeFile(new URL(`plots/${name}.svg`, docs), content)
  await writeTable(resultsTable(results))
  say(`${drawn.size} plots in ${fileURLToPath(new URL('plots/', docs))}, and the table in docs/performance.md\n`)
}

/** @throws Error for a page that has lost its marks */
async function writeTable (table: string): Promise<void> {
  const page = new URL('performance.md', docs)
  const text = await readFile(page, 'utf8')
  const [from, to] = [text.indexOf(begins), text.indexOf(ends)]
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no ${begins} before ${ends}`)
  await writeFile(page, `${text.slice(0, from + begins.length)}\n${table}\n${text.slice(to)}`)
}
