import type { GoValue } from '../../cluster/api/kubo/go-json.ts'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { configDocument } from '../config-document.ts'
import type { DescribedDaemon } from '../config-document.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { filesOf, readAll } from '../rpc/uploads.ts'

const privateKey = 'Identity.PrivKey'
/** What this daemon is set up by is not its own file: a change that lasted until the next start only would be a trap. */
const fixed = 'the embedded daemon takes its settings from the peer: change them there'
const profiles = new Set([
  'server', 'randomports', 'default-datastore', 'flatfs', 'flatfs-measure', 'pebbleds', 'pebbleds-measure', 'badgerds', 'badgerds-measure', 'lowpower',
  'announce-off', 'announce-on', 'legacy-cid-v0', 'test-cid-v1', 'test-cid-v1-wide', 'unixfs-v0-2015', 'unixfs-v1-2025', 'autoconf-on', 'autoconf-off', 'local-discovery', 'test', 'default-networking'
])

export function configCommands (node: EmbeddedNode, described: () => DescribedDaemon): readonly Command[] {
  const document = (): Config => configDocument(node, described())
  return [configKey(document), configShow(document), configReplace(), configProfile()]
}

interface Config { readonly [key: string]: GoValue }

function configKey (document: () => Config): Command {
  return command({
    path: 'config',
    args: [{ name: 'key', kind: 'string', required: true, variadic: false, stdin: false }, { name: 'value', kind: 'string', required: false, variadic: false, stdin: false }],
    options: { bool: { type: 'bool' }, json: { type: 'bool' }, 'expand-auto': { type: 'bool' } },
    run ({ args: [key = '', value], options: { json = false } }) {
      if (key.toLowerCase().startsWith(privateKey.toLowerCase())) throw new KuboError('cannot show or change private key through API')
      if (/^pinning(?:\.remoteservices.*)?$/i.test(key)) throw new KuboError('cannot show or change pinning services credentials')
      if (value !== undefined) {
        if (json) checkJson(value)
        throw new KuboError(fixed)
      }
      const found = valueAt(document(), key)
      return { kind: 'one', value: line({ Key: key, Value: found }, typeof found === 'string' ? `${found}\n` : `${JSON.stringify(found, undefined, 2)}\n`) }
    }
  })
}

/** In Go's words where the text breaks off a literal, which is how an unquoted word looks. */
function checkJson (text: string): void {
  try {
    JSON.parse(text)
  } catch (err) {
    const literal = ['null', 'true', 'false'].find(word => word[0] === text[0])
    const at = literal === undefined ? 0 : [...literal].findIndex((letter, i) => text[i] !== letter)
    const why = literal === undefined
      ? `invalid character '${text[0] ?? ''}' looking for beginning of value`
      : `invalid character '${text[at] ?? ''}' in literal ${literal} (expecting '${literal[at]}')`
    throw new KuboError(`failed to unmarshal json. ${why}`, { cause: err })
  }
}

function valueAt (document: Config, key: string): GoValue {
  const walked: string[] = []
  let value: GoValue = document
  for (const segment of key.split('.')) {
    walked.push(segment)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new KuboError(`failed to get config value: ${quoteGo(`${walked.slice(0, -1).join('.')} key is not a map`)}`)
    const found: GoValue | undefined = (value as Config)[segment]
    if (found === undefined) throw new KuboError(`failed to get config value: ${quoteGo(`${walked.join('.')} not found`)}`)
    value = found
  }
  return value
}

function configShow (document: () => Config): Command {
  return command({
    path: 'config/show',
    args: [],
    options: { 'expand-auto': { type: 'bool' } },
    run () {
      const json = document()
      return { kind: 'one', value: line(json, `${JSON.stringify(json, undefined, 2)}\n`) }
    }
  })
}

function configReplace (): Command {
  return command({
    path: 'config/replace',
    args: [{ name: 'file', kind: 'file', required: true, variadic: false, stdin: false }],
    options: {},
    async run ({ parts }) {
      for await (const { body } of filesOf(parts, 'file argument was nil')) {
        if (!isJsonObject(await readAll(body))) throw new KuboError('failed to decode file as config')
        throw new KuboError(fixed)
      }
      throw new KuboError('expected a file argument')
    }
  })
}

function isJsonObject (bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function configProfile (): Command {
  return command({
    path: 'config/profile/apply',
    args: [{ name: 'profile', kind: 'string', required: true, variadic: false, stdin: false }],
    options: { 'dry-run': { type: 'bool' } },
    run ({ args: [name = ''] }) { throw new KuboError(profiles.has(name) ? fixed : `${name} is not a profile`) }
  })
}
