import { fileURLToPath } from 'node:url'
import { objects } from '../cluster/rest/objects.ts'
import { openApiPath } from '../cluster/rest/openapi.ts'
import type { Parameter } from '../cluster/rest/parameters.ts'
import type { AnswerShape, Route } from '../cluster/rest/route.ts'
import { routes } from '../cluster/rest/routes.ts'
import type { Schema } from '../cluster/rest/schema.ts'

const pathOf = (file: string): string => fileURLToPath(new URL(`../client/${file}`, import.meta.url))

/** What the client sees to itself, what is refused here and what says nothing here. */
const leftOut = ['stream-error', 'stream-channels', 'progress', 'format', 'wrap', 'recursive', 'hidden', 'shard', 'shard-size', 'nocopy', 'no-copy']
const head = '/* Written by `npm run docs` from the table of routes in cluster/rest; a test keeps it up to date. */\n'

/** The REST API as types, and the little that the client needs to know of it when it runs: files by their paths. */
export function clientApi (): ReadonlyMap<string, string> {
  return new Map([[pathOf('objects.ts'), objectTypes()], [pathOf('operations.ts'), operationTypes()], [pathOf('shapes.ts'), shapeValues()]])
}

function objectTypes (): string {
  return [head, ...Object.entries(objects).filter(([name]) => name !== 'Error').map(([name, schema]) => `\n${declaration(name, schema)}`)].join('')
}

function operationTypes (): string {
  const named = routes.flatMap(({ answer }) => 'of' in answer && answer.of !== 'text' ? [answer.of] : [])
  return [
    head,
    `\nimport type { ${[...new Set(named)].sort().join(', ')} } from './objects.ts'\n`,
    '\nexport type NoQuery = Readonly<Record<string, never>>\n',
    `\n/** What may be asked for, by method and path: the query, spelt in camel case, and the answer, or what one line of it is. */\nexport interface Operations {\n${routes.map(operation).join('\n')}\n}\n`
  ].join('')
}

function shapeValues (): string {
  return `${head}\n/** How each is answered: one value, an object a line, or with nothing. */\nexport const shapes = {\n${routes.map(route => `  ${keyOf(route)}: '${shapeOf(route.answer)}'`).join(',\n')}\n} as const\n`
}

function declaration (name: string, schema: Schema): string {
  return isMap(schema) ? `export type ${name} = ${typeOf(schema, '')}\n` : `export interface ${name} ${typeOf(schema, '')}\n`
}

function operation (route: Route): string {
  const [query, answer] = [queryType(route), answerType(route.answer)]
  const type = query.includes('\n') ? `{\n    readonly query: ${query}\n    readonly answer: ${answer}\n  }` : `{ readonly query: ${query}, readonly answer: ${answer} }`
  return `  /** ${route.about} */\n  ${keyOf(route)}: ${type}`
}

/** A query that another operation has as well is written down once. */
function queryType (route: Route): string {
  const query = queryBody(route)
  const first = routes.find(other => queryBody(other) === query)!
  if (query === '') return 'NoQuery'
  return first === route ? `{\n${query}    }` : `Operations[${keyOf(first)}]['query']`
}

function queryBody (route: Route): string {
  const parameters = Object.entries(route.query ?? {}).filter(([name]) => !leftOut.includes(name))
  return parameters.map(([name, parameter]) => `      /** ${parameter.about.replace(', with commas between', '')} */\n      readonly ${camelCase(name)}?: ${parameterType(parameter)}\n`).join('')
}

function parameterType ({ schema, isList }: Parameter<unknown>): string {
  const { type, enum: words, format, pattern } = schema as { type?: string, enum?: readonly string[], format?: string, pattern?: string }
  if (words !== undefined) return union(words)
  if (isList === true) return `ReadonlyArray<${pattern === undefined ? 'string' : union(/\(([^)]*)\)/.exec(pattern)![1]!.split('|'))}>`
  if (type === 'integer') return 'number'
  if (type === 'boolean') return 'boolean'
  return format === 'date-time' ? 'Date | string' : 'string'
}

function answerType (answer: AnswerShape): string {
  if (answer.kind === 'none') return 'undefined'
  if (answer.kind === 'document') return 'object'
  const one = answer.of === 'text' ? 'string' : answer.of
  return answer.kind === 'list' ? `readonly ${one}[]` : one
}

const shapeOf = ({ kind }: AnswerShape): string => kind === 'none' ? 'nothing' : kind.startsWith('lines') ? 'lines' : 'value'

/** A JSON schema as a TypeScript type. */
function typeOf (schema: Schema, indent: string): string {
  const { $ref, anyOf, enum: words, type, items, properties, required } = schema as { $ref?: string, anyOf?: readonly Schema[], enum?: readonly string[], type?: string, items?: Schema, properties?: Record<string, Schema>, required?: readonly string[] }
  if ($ref !== undefined) return $ref.split('/').at(-1)!
  if (anyOf !== undefined) return anyOf.map(one => typeOf(one, indent)).join(' | ')
  if (words !== undefined) return union(words)
  if (type === 'array') return `ReadonlyArray<${typeOf(items!, indent)}>`
  if (isMap(schema)) return `Readonly<Record<string, ${typeOf(schema['additionalProperties'] as Schema, indent)}>>`
  if (properties === undefined) return type === 'integer' ? 'number' : type!
  const deeper = `${indent}  `
  return `{\n${Object.entries(properties).map(([key, property]) => `${deeper}readonly ${key}${required!.includes(key) ? '' : '?'}: ${typeOf(property, deeper)}\n`).join('')}${indent}}`
}

const isMap = ({ type, properties }: Schema): boolean => type === 'object' && properties === undefined
const union = (words: readonly string[]): string => words.map(word => `'${word}'`).join(' | ')
const keyOf = ({ method, path }: Route): string => `'${method} ${openApiPath(path)}'`
const camelCase = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
