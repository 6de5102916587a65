/** A JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1), as far as this API needs it. */
export type Schema = Readonly<Record<string, unknown>>

export const textSchema: Schema = { type: 'string' }
export const integerSchema: Schema = { type: 'integer' }
export const numberSchema: Schema = { type: 'number' }
export const booleanSchema: Schema = { type: 'boolean' }
/** Ids of libp2p peers: base58, or base36 after a k. */
export const peerSchema: Schema = { type: 'string', pattern: '^[1-9A-Za-z]{40,80}$', examples: ['12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'] }
export const cidSchema: Schema = { type: 'string', minLength: 8, examples: ['QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'] }
/** RFC 3339; 0001-01-01T00:00:00Z stands for "never". */
export const timeSchema: Schema = { type: 'string', format: 'date-time' }

export const wordSchema = (words: readonly string[]): Schema => ({ type: 'string', enum: words })
export const listSchema = (items: Schema): Schema => ({ type: 'array', items })
export const mapSchema = (values: Schema): Schema => ({ type: 'object', additionalProperties: values })
export const nullableSchema = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
export const refSchema = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

/** An object with these keys and no others; all of them are there but the optional ones. */
export function objectSchema (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return { type: 'object', properties, required: Object.keys(properties).filter(key => !optional.includes(key)), additionalProperties: false }
}
