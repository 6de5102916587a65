/** What `docker compose` would make of a compose file and the Dockerfile it names, as far as this project's need it. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

export interface ComposeService {
  readonly image: string
  readonly build?: { readonly context: string, readonly dockerfile: string }
  readonly user?: string
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly depends_on?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly command?: readonly string[]
}

export interface ComposeFile { readonly services: Readonly<Record<string, ComposeService>> }

/** Anchors and merges are resolved, `${NAME:-otherwise}` is replaced as the shell's variables say. */
export async function readCompose (path: string, shell: Readonly<Record<string, string>> = {}): Promise<ComposeFile> {
  const replaced = (_key: unknown, value: unknown): unknown =>
    typeof value === 'string' ? value.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_whole, name: string, otherwise?: string) => shell[name] || (otherwise ?? '')) : value
  return parse(await readFile(path, 'utf8'), replaced, { merge: true }) as ComposeFile
}

/** The parts of an image that a process can be started from without the image. */
export interface Image {
  /** Files and folders of the repository → where they are in the image. */
  readonly copies: ReadonlyArray<readonly [from: string, to: string]>
  readonly links: ReadonlyArray<readonly [target: string, link: string]>
  readonly env: Readonly<Record<string, string>>
  readonly user: string
  readonly healthcheck: readonly string[]
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

/** Reads the last stage. A `COPY` that takes more than one file puts them into the working folder. */
export async function readDockerfile (path: string): Promise<Image> {
  const lines = instructions(await readFile(path, 'utf8'))
  const stage = lines.slice(lines.findLastIndex(([name]) => name === 'FROM'))
  const all = (name: string): readonly string[] => stage.filter(line => line[0] === name).map(line => line[1])
  const list = (text: string | undefined): readonly string[] => text === undefined ? [] : JSON.parse(text.slice(text.indexOf('['))) as string[]
  const folder = all('WORKDIR').at(-1) ?? '/'
  return {
    copies: all('COPY').flatMap(text => {
      const parts = text.split(' ').filter(part => !part.startsWith('--'))
      const to = parts.pop()!
      // What another stage has made there, `npm ci` has made here.
      return parts.map(from => [from.replace(`${folder}/`, ''), to.startsWith('/') ? to : `${folder}/${parts.length > 1 ? from : to}`] as const)
    }),
    links: all('RUN').flatMap(text => [...text.matchAll(/ln -s (\S+) (\S+)/g)]).map(([, target, link]) => [target!, link!] as const),
    env: Object.fromEntries(all('ENV').map(text => text.split('=') as [string, string])),
    user: all('USER').at(-1) ?? 'root',
    healthcheck: list(all('HEALTHCHECK').at(-1)),
    entrypoint: list(all('ENTRYPOINT').at(-1)),
    command: list(all('CMD').at(-1))
  }
}

/** Without comments, and with lines that end in a backslash joined with the next. */
function instructions (text: string): ReadonlyArray<readonly [name: string, rest: string]> {
  return text.replace(/^\s*#.*\n/gm, '').replace(/\s*\\\n\s*/g, ' ').split('\n').map(line => line.trim()).filter(line => line !== '').map(line => {
    const [name = '', ...rest] = line.split(' ')
    return [name, rest.join(' ')] as const
  })
}
