import { parseCommandLine, UsageError } from '../args.ts'
import type { Invocation } from '../args.ts'
import { ApiError, createClient, parseHosts } from './client.ts'
import { commands } from './commands.ts'
import { errorText, jsonText, printable } from './print.ts'
import { program } from './program.ts'
import { WaitTimeout } from './wishes.ts'

/** The Go tool's: wrong use and failed calls, what the API refused, time is up, interrupted. */
const exit = { failed: 1, refused: 2, timeout: 62, cancelled: 125 } as const

/** The whole program, from its arguments to its exit code. */
export async function runCtl (argv: readonly string[]): Promise<number> {
  try {
    return await parsedAndRun(argv)
  } catch (err) {
    return complain((err as Error).message, err instanceof WaitTimeout ? exit.timeout : exit.failed)
  }
}

async function parsedAndRun (argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(program, argv, process.env)
  if (parsed.kind === 'show') {
    process.stdout.write(parsed.text)
    return 0
  }
  return await run(parsed.invocation)
}

async function run ({ command, args, flags }: Invocation): Promise<number> {
  const isJson = encodingOf(flags.text('encoding'))
  const credentials = flags.text('basic-auth')
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  const timeout = AbortSignal.timeout(secondsOf(flags.text('timeout')) * 1_000 || 2 ** 31 - 1)
  const signal = AbortSignal.any([interrupted.signal, timeout])
  const client = createClient({
    hosts: hostsOf(flags.text('host')!),
    isSecure: flags.is('https') || (credentials !== undefined && !flags.is('force-http')),
    isCertificateChecked: !flags.is('no-check-certificate'),
    credentials,
    signal,
    trace: line => { if (flags.is('debug')) process.stderr.write(`${printable(line)}\n`) }
  })
  const show = (json: unknown, text: (json: unknown) => string): void => { process.stdout.write(isJson ? jsonText(json) : text(json)) }

  try {
    await commands[command]!({ client, args, flags, show, signal })
    return 0
  } catch (err) {
    if (interrupted.signal.aborted) return exit.cancelled
    if (timeout.aborted) return complain(`no answer within ${flags.text('timeout')} s`, exit.timeout)
    if (!(err instanceof ApiError)) throw err
    const error = { code: err.code, message: err.message }
    process.stdout.write(isJson ? jsonText(error) : errorText(error))
    return err.code === 0 ? exit.failed : exit.refused
  }
}

function complain (message: string, code: number): number {
  process.stderr.write(`error: ${message.split('\n').map(printable).join('\n')}\n`)
  return code
}

function encodingOf (text: string | undefined): boolean {
  if (text !== 'text' && text !== 'json') throw new UsageError(`--encoding: expected text or json, got ${JSON.stringify(text)}`)
  return text === 'json'
}

function secondsOf (text: string | undefined): number {
  const seconds = Number(text)
  if (!Number.isInteger(seconds) || seconds < 0) throw new UsageError('--timeout: expected a number of seconds')
  return seconds
}

function hostsOf (text: string): ReturnType<typeof parseHosts> {
  try {
    return parseHosts(text)
  } catch (err) {
    throw new UsageError(`--host: ${(err as Error).message}`)
  }
}
