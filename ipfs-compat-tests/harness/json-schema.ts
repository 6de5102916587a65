/** Checks a value against a JSON Schema, as far as the documents of this project use it. Answers what is wrong and where; empty when nothing is. */
export function schemaFaults (value: unknown, schema: any, definitions: any, at = '$'): readonly string[] {
  if (schema.$ref !== undefined) return schemaFaults(value, definitions[String(schema.$ref).split('/').at(-1)!], definitions, at)
  if (schema.anyOf !== undefined) {
    const attempts = schema.anyOf.map((one: unknown) => schemaFaults(value, one, definitions, at)) as string[][]
    return attempts.some(faults => faults.length === 0) ? [] : attempts.flat()
  }
  const type = typeOf(value)
  if (schema.type !== undefined && schema.type !== type && !(schema.type === 'number' && type === 'integer')) return [`${at}: expected ${schema.type}, got ${JSON.stringify(value)}`]
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: expected one of ${schema.enum}, got ${JSON.stringify(value)}`]
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value as string)) return [`${at}: ${JSON.stringify(value)} does not match ${schema.pattern}`]
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value as string))) return [`${at}: ${JSON.stringify(value)} is no time`]
  if (type === 'array') return (value as unknown[]).flatMap((item, i) => schemaFaults(item, schema.items ?? {}, definitions, `${at}[${i}]`))
  return type === 'object' ? objectFaults(value as object, schema, definitions, at) : []
}

function objectFaults (value: object, { properties = {}, required = [], additionalProperties = true }: any, definitions: any, at: string): readonly string[] {
  const missing = (required as string[]).filter(key => !Object.hasOwn(value, key)).map(key => `${at}: ${key} is missing`)
  return [...missing, ...Object.entries(value).flatMap(([key, item]) => {
    if (Object.hasOwn(properties, key)) return schemaFaults(item, properties[key], definitions, `${at}.${key}`)
    if (additionalProperties === false) return [`${at}: ${key} is not documented`]
    return additionalProperties === true ? [] : schemaFaults(item, additionalProperties, definitions, `${at}.${key}`)
  })]
}

function typeOf (value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}
