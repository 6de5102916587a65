import type { Daemon, DaemonOptions } from '../kubo.ts'
import { compare } from './compare.ts'
import type { Difference } from './compare.ts'
import { exchange } from './exchange.ts'
import type { RecordedCase, RecordedGroup, RecordedRequest } from './recording.ts'
import { requestBody, requestHead } from './request-bytes.ts'
import type { Values } from './request-bytes.ts'
import type { RawResponse } from './response-parser.ts'

const answerTimeoutMs = 60_000
/** A request that got no answer in the recording is not waited for as long. */
const noAnswerTimeoutMs = 2_000

/** A server under test, on a fresh repo set up as the group's `daemon` says: a daemon, or a proxy in front of one. */
export interface Target extends Pick<Daemon, 'host' | 'port'> { readonly values: Values }
export type StartTarget = (options: DaemonOptions) => Promise<Target & AsyncDisposable>

export interface CaseResult {
  readonly name: string
  readonly differences: readonly Difference[]
  /** Every byte, headers too. */
  readonly isExact: boolean
  /** Status, body and trailer, headers aside. */
  readonly isSameMeaning: boolean
}

/** Sends a group's requests one after another, as later ones stand on what earlier ones did. */
export async function replayGroup ({ cases }: RecordedGroup, target: Target): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const recorded of cases) {
    const differences = await replayCase(recorded, target)
    results.push({ name: recorded.name, differences, isExact: differences.length === 0, isSameMeaning: differences.every(({ where }) => where === 'headers') })
  }
  return results
}

async function replayCase ({ request, response }: RecordedCase, target: Target): Promise<readonly Difference[]> {
  try {
    const got = await sendRecorded(request, target, { timeoutMs: response.noAnswer === true ? noAnswerTimeoutMs : answerTimeoutMs })
    return compare(response, got, target.values)
  } catch (err) {
    return [{ where: 'meaning', text: `no HTTP answer: ${String(err)}` }]
  }
}

/** Sends one request as a recording describes it. `timeoutMs` is for those that name none themselves. @throws Error when what comes is no HTTP */
export async function sendRecorded (request: RecordedRequest, { host, port, values }: Target, { timeoutMs }: { readonly timeoutMs: number }): Promise<RawResponse> {
  const body = requestBody(request.body, values)
  return await exchange({
    host,
    port,
    head: requestHead(request, body.length, values),
    body,
    isHead: request.method === 'HEAD',
    isChunked: request.chunked ?? false,
    expectsContinue: request.headers.some(([key]) => key.toLowerCase() === 'expect'),
    gateAfter: request.gateAfter,
    closeAfter: request.closeAfter,
    endlessMs: request.endlessMs,
    timeoutMs: request.timeoutMs ?? timeoutMs
  })
}
