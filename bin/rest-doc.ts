import { fileURLToPath } from 'node:url'
import { objects } from '../cluster/rest/objects.ts'
import { openApiPath } from '../cluster/rest/openapi.ts'
import type { AnswerShape, Route } from '../cluster/rest/route.ts'
import { routes } from '../cluster/rest/routes.ts'
import type { Schema } from '../cluster/rest/schema.ts'

export const restDocPath: string = fileURLToPath(new URL('../docs/rest-api.md', import.meta.url))

const head = `# REST API

<!-- Written by \`npm run docs\` from the table of routes in cluster/rest; a test keeps it up to date. -->

ipfs-cluster's REST API, on \`/ip4/127.0.0.1/tcp/9094\` unless \`api.restapi.http_listen_multiaddress\` says otherwise. \`ipfs-cluster-ctl\` of the
Go program and the other clients of ipfs-cluster work with it. The same as an OpenAPI 3.1 document: \`GET /openapi.json\`.

\`\`\`sh
curl -X POST -F file=@photo.jpg 'http://127.0.0.1:9094/add?name=photo'
curl -X POST 'http://127.0.0.1:9094/pins/QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN?name=greeting&meta-lang=en&expire-in=48h'
curl 'http://127.0.0.1:9094/pins?filter=error&limit=100'
\`\`\`

* **Answers** are JSON. A stream is one object a line, as it comes; an error after the first line stands in the trailer \`X-Stream-Error\`, which is
  empty when all went well; no line at all is 204. Who has no trailers, like \`fetch\`, asks with \`stream-error=line\` for it as a last line. Times are RFC 3339, \`0001-01-01T00:00:00Z\` stands for "never".
* **Refusals** are \`{"code": <status>, "message": "<why>"}\`. Any request may be answered with 400 (what was asked for is wrong: a parameter that
  is unknown or out of its range, a CID, an upload that is cut), 401 (credentials are needed), 403 (web pages of that site may not do this) and 500 (it failed).
  As in ipfs-cluster 500 is also what the daemon refuses, and a pin that there are too few peers for. An address that is not in this list is
  answered with 404, a method that is not with 405, a path that ends in \`/\` with 307 to the one without, headers that are too long with 431.
* **Parameters** that are absent and those that are empty count the same. Flags are \`true\` or \`false\` (also \`1\`, \`0\`, \`t\`, \`f\`). Unlike in ipfs-cluster,
  a parameter that is unknown or cannot be read is refused: an option that is misspelt and ignored pins something else than was asked for.
* **Lists** of pins are in the order of the CIDs' bytes. For a page of them ask with \`limit\`, then with \`after\` and the last CID of that page.
* **Users** are those of \`api.restapi.basic_auth_credentials\`. Once there is one, every request needs a user's password (\`Authorization: Basic\`) or a
  token of \`POST /token\` (\`Authorization: Bearer\`), but for those marked *open* and \`OPTIONS\`.
* **TLS** is spoken when \`ssl_cert_file\` and \`ssl_key_file\` are set, then HTTP/2 too with who offers it; **CORS** as the \`cors_*\` settings say; see [configuration.md](configuration.md#apirestapi).
* **Over libp2p** (protocol \`/libp2p-http\`) it is spoken when \`libp2p_listen_multiaddress\`, \`id\` and \`private_key\` are set:
  \`ipfs-cluster-ctl --host /ip4/192.0.2.1/tcp/9098/p2p/12D3Koo…\`. That needs an identity of its own; the address for other peers never serves the API.

## Where it differs from ipfs-cluster

| What | ipfs-cluster 1.1.6 | Here |
|---|---|---|
| \`POST /add\` that fails | 200, and the reason in the trailer only | the status of the refusal, as long as nothing was told yet |
| several files at the top of one \`POST /add\` | only the last is pinned | each is a pin |
| a CAR with several roots, several CARs, version 2 | refused or ignored | each root is a pin |
| \`POST /add\` answers | when the pin is agreed | when enough daemons hold it, see \`wait\` |
| options of a pin that was there before | expiry and metadata of earlier requests stay | those of the last request |
| an option that cannot be read | 400, and it pins all the same | 400, and nothing is done |
| parameters, filters, modes and allocations that are unknown | ignored | 400 |
| what is wrong with the request, like factors of 3 and 2 | 500 | 400 |
| \`shard\`, \`nocopy\` | experimental | 400 and why |
| \`POST /pins/{cid}?mode=direct\` | recursive all the same | direct |
| \`GET /health\` | 204 always | 503 and why when the peer cannot do its work |
| \`POST /peers\` | makes any id a voter | only tells how a peer joins |
| \`DELETE /peers/{peer}\` of who is no member | 204 | 400 |
| \`GET /monitor/metrics/ping\` | daemon addresses without private ones | all of them |
| \`shard_size\` of a pin | what clients send, 104857600 from \`ctl add\` | 0, for nothing is sharded |
| a list without elements | \`null\` in some answers, \`[]\` in others | \`[]\`, but for \`user_allocations\` |
| a method that is not there | 404, or 405 with an empty body | 405 with \`Allow\` and a reason |
`

/** The whole page. */
export function restDoc (): string {
  const rows = routes.map(route => `| [\`${route.method} ${openApiPath(route.path)}\`](#${anchorOf(route)}) | ${cell(route.about)} |\n`)
  return [
    head,
    `\n## All of them\n\n| Request | What it does |\n|---|---|\n${rows.join('')}`,
    ...routes.map(routeDoc),
    '\n## Objects\n\nAll keys are always there, but those marked *optional*.\n',
    ...Object.entries(objects).map(([name, schema]) => `\n### ${name}\n\n${schemaDoc(schema)}`)
  ].join('')
}

function routeDoc (route: Route): string {
  const parameters = [
    ...Object.entries(route.query ?? {}).map(([name, { about, schema }]) => `| \`${name}\` | ${cell(about)} | ${cell(expected(schema))} |\n`),
    ...route.takesMetadata === true ? ['| `meta-<key>` | Metadata of the pin, any number of such. | text |\n'] : []
  ]
  return [
    `\n## ${titleOf(route)}\n\n${route.about}${route.isOpen === true ? ' *Open.*' : ''}\n`,
    parameters.length === 0 ? '' : `\n| Parameter | What it says | Expected |\n|---|---|---|\n${parameters.join('')}`,
    route.body === undefined ? '' : `\nBody: \`${route.body.type}\`${bodyKeys(route.body.schema)}.\n`,
    `\nAnswer: ${answerDoc(route.answer)}${(route.refusals ?? []).map(status => status === 404 ? '; 404 when there is no such pin' : '; 503 and why when it cannot').join('')}.\n`
  ].join('')
}

function answerDoc (answer: AnswerShape): string {
  if (answer.kind === 'none') return '204'
  if (answer.kind === 'document') return '200, the document'
  const one = answer.of === 'text' ? 'texts' : `[${answer.of}](#${answer.of.toLowerCase()})`
  const shapes = { value: `200, ${one}`, list: `200, an array of ${one}`, lines: `200, a stream of ${one}, or 204`, 'lines or list': `200, a stream of ${one}; with \`stream-channels=false\` one array` }
  return shapes[answer.kind]
}

function schemaDoc (schema: Schema): string {
  if (schema['properties'] === undefined) return `${typeDoc(schema)}\n`
  const required = schema['required'] as readonly string[]
  const rows = Object.entries(schema['properties'] as Record<string, Schema>).map(([key, property]) => `| \`${key}\`${required.includes(key) ? '' : ' *(optional)*'} | ${typeDoc(property)} |\n`)
  return `| Key | Value |\n|---|---|\n${rows.join('')}`
}

function typeDoc (schema: Schema): string {
  if (schema['$ref'] !== undefined) return refDoc(String(schema['$ref']))
  if (schema['anyOf'] !== undefined) return (schema['anyOf'] as readonly Schema[]).map(typeDoc).join(' or ')
  if (schema['enum'] !== undefined) return (schema['enum'] as readonly string[]).map(word => `\`${word}\``).join(', ')
  if (schema['format'] === 'date-time') return 'time'
  if (schema['type'] === 'array') return `array of ${typeDoc(schema['items'] as Schema)}`
  if (schema['properties'] !== undefined) return `object: ${Object.entries(schema['properties'] as Record<string, Schema>).map(([key, property]) => `\`${key}\` (${typeDoc(property)})`).join(', ')}`
  return schema['type'] === 'object' ? `object of ${typeDoc(schema['additionalProperties'] as Schema)}` : typeName(schema)
}

const typeName = ({ type }: Schema): string => type === 'string' ? 'text' : String(type)
const refDoc = (ref: string): string => `[${ref.split('/').at(-1)}](#${ref.split('/').at(-1)!.toLowerCase()})`
const bodyKeys = (schema: Schema): string => schema['required'] === undefined ? '' : ` with ${Object.keys(schema['properties'] as object).map(key => `\`${key}\``).join(', ')}`

/** What may stand in a query. */
function expected (schema: Schema): string {
  const { type, enum: words, minimum, maximum, maxLength, default: fallback, examples, format, pattern } = schema as Record<string, any>
  const usual = fallback === undefined ? '' : ` (usually ${fallback})`
  if (words !== undefined) return `${words.map((word: string) => `\`${word}\``).join(', ')}${usual}`
  if (pattern !== undefined && examples === undefined) return /\(([^)]*)\)/.exec(pattern)![1]!.split('|').map(word => `\`${word}\``).join(', ')
  if (type === 'integer') return `integer from ${minimum} to ${maximum}`
  if (type === 'boolean') return `flag${usual}`
  if (format === 'date-time') return 'time like `2030-01-31T12:00:00Z`'
  return maxLength === undefined ? `like \`${examples?.[0] ?? 'Qm…,bafy…'}\`` : `text of at most ${maxLength} bytes`
}

const titleOf = ({ method, path }: Route): string => `${method} ${openApiPath(path)}`
const anchorOf = (route: Route): string => titleOf(route).toLowerCase().replace(/[^a-z0-9 _-]/g, '').replaceAll(' ', '-')
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
