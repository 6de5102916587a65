/** The pages for operators are true as far as that can be looked up: links lead somewhere, messages and flags are those of the programs. */
import { glob, readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseCommandLine } from '../bin/args.ts'
import { program as ctl } from '../bin/ctl/program.ts'
import { program as service } from '../bin/service/program.ts'

const repo = fileURLToPath(new URL('..', import.meta.url))
const read = async (path: string): Promise<string> => await readFile(join(repo, path), 'utf8')
const pages = ['README.md', ...(await Array.fromAsync(glob('docs/**/*.md', { cwd: repo }))).sort()]
/** Where operators are told what to type. */
const operators = pages.filter(page => /^(README|docs\/(install|quickstart|production|security|backup|upgrade|operations|troubleshooting|differences|cluster|deploy\/README))\.md$/.test(page))

t.test('links lead to pages and headings that are there', async t => {
  const dead: string[] = []
  for (const page of pages) {
    const text = (await read(page)).replace(/^```[^]*?^```/gm, '')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)) {
      const [file = '', heading] = target.split('#')
      const path = file === '' ? page : join(dirname(page), file)
      if (!existsSync(join(repo, path))) dead.push(`${page}: ${target}`)
      else if (heading !== undefined && !headings(await read(path)).includes(heading)) dead.push(`${page}: ${target}`)
    }
  }

  t.strictSame(dead, [])
})

t.test('the commands that operators are told have the flags and words that the programs know', async t => {
  let count = 0
  for (const page of operators) {
    const blocks = [...(await read(page)).matchAll(/^```(?:sh|console)?\n([^]*?)^```/gm)].map(([, block]) => block!)
    const inline = [...(await read(page)).matchAll(/`([^`\n]*ipfs-cluster-(?:ctl|service) [^`\n]*)`/g)].map(([, text]) => text!)
    for (const line of [...blocks.join('\n').replaceAll('\\\n', ' ').split('\n'), ...inline]) {
      for (const [, name, rest = ''] of line.matchAll(/(?<![\w/.-])(?:npx )?ipfs-cluster-(ctl|service) ((?!help\b)[^|&;#)`]*)/g)) {
        count++
        t.doesNotThrow(() => parseCommandLine(name === 'ctl' ? ctl : service, words(rest), {}), `${page}: ipfs-cluster-${name} ${rest}`)
      }
    }
  }

  t.ok(count > 30, `${count} commands`)
})

t.test('the messages in the page on troubles are those that the programs print', async t => {
  const sources = (await Promise.all((await Array.fromAsync(glob(['{adder,bin,cluster,embedded,proxy}/**/*.ts', 'docker/entrypoint.sh'], { cwd: repo }))).filter(path => !path.endsWith('.test.ts')).map(read))).join('\n')
  // Texts are put together where a line would be too long.
  const text = sources.replace(/[`'] \+\s*[`']/g, '')
  const messages = [...(await read('docs/troubleshooting.md')).matchAll(/^\| (?:exit code \d+, )?`([^`]+)` \|/gm)].map(([, message]) => message!).filter(message => !['CLUSTER_ERROR', 'context deadline exceeded'].includes(message))

  t.ok(messages.length > 20)
  t.strictSame(messages.filter(message => message.split('…').some(part => !text.includes(part.trim()))), [])
})

/** As the words of headings become anchors: small, without signs, with dashes between. */
function headings (text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-'))
}

/** A command line's words: quotes hold together, `>` ends them. */
function words (line: string): readonly string[] {
  return [...line.split(/\s[<>]/)[0]!.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word.replace(/^["']|["']$/g, ''))
}
