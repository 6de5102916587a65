import { objects } from './objects.ts'
import type { Parameter } from './parameters.ts'
import type { AnswerShape, Route } from './route.ts'
import { cidSchema, listSchema, peerSchema, refSchema, textSchema, wordSchema } from './schema.ts'
import type { Schema } from './schema.ts'

const json = 'application/json'

/** What may stand for a `:name` of a path. */
const pathParameters: Readonly<Record<string, { readonly about: string, readonly schema: Schema }>> = {
  cid: { about: 'Which content.', schema: cidSchema },
  peer: { about: 'Which peer of the cluster.', schema: peerSchema },
  name: { about: 'Which metric.', schema: textSchema },
  namespace: { about: 'Where the path begins.', schema: wordSchema(['ipfs', 'ipns', 'ipld']) },
  path: { about: 'The rest of the path, with further slashes if need be.', schema: textSchema }
}

/** Refusals that any route may answer with. */
const refusals: Readonly<Record<number, string>> = {
  400: 'What was asked for is wrong: a parameter that is unknown or out of its range, a CID, an upload.',
  401: 'Credentials are needed, or are wrong.',
  403: 'Web pages of that site may not do this, or the Host header names another machine, or this peer only stores: who is trusted to change what is agreed on stands in the message.',
  500: 'It failed, and the message says why. As in ipfs-cluster also what the daemon refuses, and pins for which there are too few peers.'
}
const furtherRefusals = { 404: 'There is no such pin.', 503: 'This peer cannot do its work just now, and the message says why.' } as const

/** The routes as an OpenAPI 3.1 document. */
export function openApiDocument (routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = openApiPath(route.path)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'ipfs-quorum REST API', version, description: 'The REST API of ipfs-cluster. Where an answer is a stream, each line is one JSON object, an error after the first line stands in the trailer X-Stream-Error, and no line at all is 204.' },
    security: [{ basic: [] }, { bearer: [] }, {}],
    paths,
    components: {
      schemas: objects,
      responses: Object.fromEntries(Object.entries(refusals).map(([status, description]) => [`Refused${status}`, refused(description)])),
      securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } }
    }
  }
}

/** `/pins/:namespace/*` → `/pins/{namespace}/{path}`. */
export function openApiPath (path: string): string {
  return path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')
}

function operation (route: Route): object {
  const names = [...openApiPath(route.path).matchAll(/\{(\w+)\}/g)].map(match => match[1]!)
  return {
    operationId: `${route.method.toLowerCase()}${route.path.split(/\W+/).map(step => `${step.slice(0, 1).toUpperCase()}${step.slice(1)}`).join('')}`,
    summary: route.about,
    parameters: [
      ...names.map(name => ({ name, in: 'path', required: true, description: pathParameters[name]!.about, schema: pathParameters[name]!.schema })),
      ...Object.entries(route.query ?? {}).map(([name, parameter]) => queryParameter(name, parameter)),
      ...route.takesMetadata === true ? [{ name: 'meta', in: 'query', description: 'Any meta-<key>=<value>: metadata of the pin.', schema: { type: 'object', patternProperties: { '^meta-': textSchema }, additionalProperties: false }, style: 'form', explode: true }] : []
    ],
    ...route.body !== undefined && { requestBody: { required: true, content: { [route.body.type]: { schema: route.body.schema } } } },
    ...route.isOpen === true && { security: [] },
    responses: {
      ...goodAnswers(route.answer),
      ...Object.fromEntries(Object.keys(refusals).map(status => [status, { $ref: `#/components/responses/Refused${status}` }])),
      ...Object.fromEntries((route.refusals ?? []).map(status => [status, refused(furtherRefusals[status])]))
    }
  }
}

/** What is there but empty counts as absent. */
const queryParameter = (name: string, { about, schema }: Parameter<unknown>): object => ({ name, in: 'query', description: about, allowEmptyValue: true, schema })
const refused = (description: string): object => ({ description, content: { [json]: { schema: refSchema('Error') } } })
const nothingAnswer = { 204: { description: 'Nothing to tell.' } }
const answered = (description: string, schema: Schema): object => ({ 200: { description, content: { [json]: { schema } } } })
const failing = (one: Schema): Schema => ({ anyOf: [one, refSchema('Error')] })

function goodAnswers (answer: AnswerShape): object {
  if (answer.kind === 'none') return { 204: { description: 'Done.' } }
  if (answer.kind === 'document') return answered('The document.', { type: 'object' })
  const one = answer.of === 'text' ? textSchema : refSchema(answer.of)
  if (answer.kind === 'value') return answered('The answer.', one)
  if (answer.kind === 'list') return answered('All of them.', listSchema(one))
  if (answer.kind === 'lines') return { ...answered('A stream: each line is one of these; with stream-error=line one that fails ends with an Error.', failing(one)), ...nothingAnswer }
  return { ...answered('A stream: each line is one of these; with stream-error=line one that fails ends with an Error; with stream-channels=false one array.', { anyOf: [...failing(one)['anyOf'] as readonly Schema[], listSchema(one)] }), ...nothingAnswer }
}
