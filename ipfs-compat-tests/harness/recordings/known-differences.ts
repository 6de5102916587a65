import { readFile, writeFile } from 'node:fs/promises'
import type { CaseResult } from './replay.ts'

/** `notYet` is to shrink; `onPurpose` differs by decision. */
export type Kind = 'notYet' | 'onPurpose'

/**
 * Which recordings a server answers differently, and why: by `group/name`. The lists are written from the `reasons`, first match wins,
 * so that a decision is stated once and what it covers can be read.
 */
export interface KnownDifferences {
  readonly reasons: readonly { readonly kind: Kind, readonly match: string, readonly why: string }[]
  readonly notYet: Readonly<Record<string, string>>
  readonly onPurpose: Readonly<Record<string, string>>
}

export async function readKnown (file: string): Promise<KnownDifferences> {
  return JSON.parse(await readFile(file, 'utf8')) as KnownDifferences
}

/** What is wrong with a result in the light of what is known; undefined when all is as said. A listed case that passes is wrong too. */
export function judge (name: string, { isExact, differences }: CaseResult, { notYet, onPurpose }: KnownDifferences): string | undefined {
  const listed = notYet[name] ?? onPurpose[name]
  if (isExact) return listed === undefined ? undefined : 'passes, so it must leave the list'
  return listed === undefined ? differences.map(({ text }) => text).join('\n') : undefined
}

/** Writes the lists anew from what differs now. @returns what no reason covers */
export async function writeKnown (file: string, differing: readonly string[]): Promise<readonly string[]> {
  const { reasons } = await readKnown(file)
  const explained = differing.map(name => ({ name, reason: reasons.find(({ match }) => new RegExp(match).test(name)) }))
  const list = (kind: Kind): Record<string, string> => Object.fromEntries(explained.flatMap(({ name, reason }) => reason?.kind === kind ? [[name, reason.why]] : []))
  const known: KnownDifferences = { reasons, notYet: list('notYet'), onPurpose: list('onPurpose') }
  await writeFile(file, `${JSON.stringify(known, undefined, 2)}\n`)
  return explained.filter(({ reason }) => reason === undefined).map(({ name }) => name)
}
