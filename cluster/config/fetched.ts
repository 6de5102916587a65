import { ClusterError } from '../api/errors.ts'
import { jsonKeyOf, writtenIn } from './section.ts'
import type { Environment, Field, Section } from './section.ts'

type Part = Readonly<Record<string, unknown>>

/**
 * A file's parts with those of a fetched configuration under them. Whoever can change what is fetched must not get at this machine: secrets, addresses
 * to listen on, the daemon's and files are the peer's own to set. The same value as the peer has it is let through.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT naming what was fetched and may not be
 */
export function withFetched (own: ReadonlyMap<string, Part>, fetched: ReadonlyMap<string, Part>, sections: Readonly<Record<string, Section>>, env: Environment): Map<string, Part> {
  const wrong = Object.values(sections).flatMap(section => changesOf(section, own.get(section.path) ?? {}, fetched.get(section.path) ?? {}, env))
  if (wrong.length > 0) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `the configuration that was fetched sets ${wrong.join(', ')}, which only this peer itself may: have it taken out there, or set it beside "source" or by a variable, here, to the same`)
  }
  return new Map([...fetched.keys(), ...own.keys()].map(path => [path, { ...fetched.get(path), ...own.get(path) }]))
}

function changesOf ({ path, envPrefix, fields }: Section, own: Part, fetched: Part, env: Environment): string[] {
  const forbidden = Object.entries(fields).filter(([name, { isLocal, secret }]) => (isLocal ?? secret) === true && (fetched[jsonKeyOf(name)] ?? undefined) !== undefined)
  const changed = forbidden.filter(([name, field]) => textOf(field, fetched[jsonKeyOf(name)]) !== textOf(field, writtenIn(envPrefix, name, own, env)))
  return changed.map(([name]) => `${path}.${jsonKeyOf(name)}`)
}

/** For comparing: one value may be written in several ways. */
function textOf (field: Field<unknown>, written: unknown): string {
  try {
    return JSON.stringify(field.write(written === undefined ? field.fallback : field.parse(written))) ?? ''
  } catch {
    return `not readable: ${JSON.stringify(written)}`
  }
}
