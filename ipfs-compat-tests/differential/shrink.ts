import type { BodySpec, RecordedRequest } from '../harness/recordings/recording.ts'

type Script = readonly RecordedRequest[]

/** Leaves out of a script whatever can be left out while it still fails: requests, options, arguments, headers, parts. At most `triesMax` scripts are tried. */
export async function shrink (script: Script, stillFails: (script: Script) => Promise<boolean>, triesMax: number): Promise<Script> {
  let smallest = script
  let tries = 0
  let isSmaller = true
  while (isSmaller) {
    isSmaller = false
    for (const candidate of smallerScripts(smallest)) {
      if (tries++ >= triesMax) return smallest
      if (!await stillFails(candidate)) continue
      smallest = candidate
      isSmaller = true
      break
    }
  }
  return smallest
}

function * smallerScripts (script: Script): Generator<Script, void, undefined> {
  if (script.length > 1) for (const i of script.keys()) yield script.toSpliced(i, 1)
  for (const [i, request] of script.entries()) {
    for (const smaller of smallerRequests(request)) yield script.with(i, smaller)
  }
}

function * smallerRequests (request: RecordedRequest): Generator<RecordedRequest, void, undefined> {
  const [path, query] = request.path.split(/\?(.*)/s, 2) as [string, string | undefined]
  const pairs = query?.split('&') ?? []
  for (const i of pairs.keys()) {
    const left = pairs.toSpliced(i, 1)
    yield { ...request, path: left.length === 0 ? path : `${path}?${left.join('&')}` }
  }
  const headers = request.headers
  for (const [i, [name]] of headers.entries()) if (name !== 'Content-Type' || request.body === undefined) yield { ...request, headers: headers.toSpliced(i, 1) }
  const { version, chunked, body, ...rest } = request
  if (version !== undefined) yield { ...rest, ...body === undefined ? {} : { body } }
  if (chunked !== undefined) yield { ...rest, ...body === undefined ? {} : { body } }
  if (body === undefined) return
  yield { ...rest, headers: headers.filter(([name]) => name !== 'Content-Type') }
  for (const smaller of smallerBodies(body)) yield { ...request, body: smaller }
}

function * smallerBodies (body: BodySpec): Generator<BodySpec, void, undefined> {
  if (typeof body === 'string' || !('multipart' in body)) return
  for (const i of body.multipart.keys()) yield { ...body, multipart: body.multipart.toSpliced(i, 1) }
}
