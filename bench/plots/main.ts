import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readHistory } from '../history.ts'
import { say } from '../output.ts'
import { barsSvg } from './bars.ts'
import { curvesSvg } from './curves.ts'
import { growthCurves } from './growth.ts'
import { barOf, lastResults, resultsTable } from './results.ts'

const docs = new URL('../../docs/', import.meta.url)

/** Draws what `history.jsonl` says into `docs/plots`, and writes the table and the list of curves in `docs/performance.md`. */
export async function bench (): Promise<void> {
  const figures = await readHistory()
  const results = lastResults(figures)
  const curves = growthCurves(figures)
  const drawn = new Map([...curves].map(([name, one]) => [name, curvesSvg(one)]))
  if (results.length > 0) drawn.set('results', barsSvg('The last results beside their goals', results.map(barOf)))
  await mkdir(new URL('plots/', docs), { recursive: true })
  for (const [name, content] of drawn) await writeFile(new URL(`plots/${name}.svg`, docs), content)

  const page = new URL('performance.md', docs)
  const written = withPart(await readFile(page, 'utf8'), 'results', results.length === 0 ? 'None yet.' : `![The last results beside their goals](plots/results.svg)\n\n${resultsTable(results)}`)
  const pictures = [...curves].map(([name, { title, xLabel }]) => `![${title}, by ${xLabel}](plots/${name}.svg)`)
  await writeFile(page, withPart(written, 'curves', pictures.length === 0 ? 'None yet.' : pictures.join('\n\n')))
  say(`${drawn.size} plots in ${fileURLToPath(new URL('plots/', docs))}, and the table in docs/performance.md\n`)
}

/** What stands between the marks of that name is replaced. @throws Error for a page that has lost them */
function withPart (page: string, name: string, content: string): string {
  const [begins, ends] = [`<!-- ${name}: written by \`npm run bench -- plots\` -->`, `<!-- end of ${name} -->`]
  const [from, to] = [page.indexOf(begins), page.indexOf(ends)]
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no ${begins} before ${ends}`)
  return `${page.slice(0, from + begins.length)}\n\n${content}\n\n${page.slice(to)}`
}
