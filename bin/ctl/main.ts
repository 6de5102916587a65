import { parseCommandLine, UsageError } from '../args.ts'
import type { Invocation } from '../args.ts'
import { printable } from './printable.ts'
import { program } from './program.ts'

/** The Go tool's: wrong use and failed calls, what the API refused, time is up, interrupted. */
const exit = { failed: 1, refused: 2, timeout: 62, cancelled: 125 } as const

/** The whole program, from its arguments to its exit code. What speaks with a peer is loaded when there is one to speak with. */
export async function runCtl (argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseCommandLine(program, argv, process.env)
    if (parsed.kind === 'run') return await run(parsed.invocation)
    process.stdout.write(parsed.text)
    return 0
  } catch (err) {
    return complain((err as Error).message, exit.failed)
  }
}

async function run (invocation: Invocation): Promise<number> {
  const { command, args } = invocation
  if (command !== 'commands' && command !== 'completion') return await ask(invocation)
  const { commandList, completionScript } = await import('./completion.ts')
  process.stdout.write(command === 'commands' ? commandList(program) : completionScript(program, args[0]!))
  return 0
}

async function ask ({ command, args, flags }: Invocation): Promise<number> {
  const [{ commands }, { ApiError, createClient, TimeoutError }, { parseHosts }, { jsonText }, { errorText }, { paintFor }, { createProgress }] = await Promise.all([
    import('./commands.ts'), import('./client.ts'), import('./hosts.ts'), import('./json.ts'), import('./print.ts'), import('./paint.ts'), import('./progress.ts')
  ])
  const isJson = flags.text('encoding') === 'json'
  const credentials = credentialsOf(flags.text('basic-auth'))
  const hosts = await parseHosts(flags.text('host')!).catch((err: Error) => { throw new UsageError(`--host: ${err.message}`) })
  const secret = secretOf(flags.text('secret'), hosts.some(({ kind }) => kind === 'libp2p'))
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

  await using opened = new AsyncDisposableStack()
  const dialer = once(async () => {
    const { createHttpDialer } = await import('../../cluster/peers/http-dial.ts')
    return opened.use(await createHttpDialer({ secret }))
  })
  const client = createClient({
    hosts,
    isSecure: flags.is('https') || (credentials !== undefined && !flags.is('force-http')),
    isCertificateChecked: !flags.is('no-check-certificate'),
    credentials,
    timeoutMs: secondsOf(flags.text('timeout')!) * 1_000,
    signal: interrupted.signal,
    dialer,
    trace: line => { if (flags.is('debug')) process.stderr.write(`${printable(line)}\n`) }
  })
  using progress = createProgress(process.stderr, !isJson)
  const paint = paintFor(process.stdout, process.env)

  try {
    await commands[command]!({
      client, args, flags, progress, signal: interrupted.signal,
      show (json, text) {
        progress.clear()
        process.stdout.write(isJson ? jsonText(json) : shown(() => text(json, paint)))
      }
    })
    return 0
  } catch (err) {
    progress.clear()
    if (interrupted.signal.aborted) return exit.cancelled
    if (err instanceof TimeoutError) return complain(err.message, exit.timeout)
    if (!(err instanceof ApiError)) throw err
    process.stdout.write(isJson ? jsonText({ code: err.code, message: err.message }) : errorText(err, paint))
    return err.code === 0 ? exit.failed : exit.refused
  }
}

/** @throws Error for an answer that has not what a peer's has */
function shown (text: () => string): string {
  try {
    return text()
  } catch (err) {
    throw new Error(`the answer is not one of a cluster peer; is --host the REST API (usually on port 9094)? ${(err as Error).message}`)
  }
}

function complain (message: string, code: number): number {
  process.stderr.write(`error: ${message.split('\n').map(printable).join('\n')}\n`)
  return code
}

function secondsOf (text: string): number {
  const seconds = Number(text)
  if (!(seconds >= 0 && seconds <= 2_000_000)) throw new UsageError('--timeout: expected a number of seconds, at most 2000000')
  return seconds
}

/** A user without a password has an empty one. */
function credentialsOf (text = ''): string | undefined {
  return text === '' || text.includes(':') ? text || undefined : `${text}:`
}

function secretOf (text: string | undefined, isUsed: boolean): Uint8Array | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new UsageError('--secret: expected 64 hexadecimal digits')
  if (!isUsed) throw new UsageError('--secret is for a --host with /p2p/ or /dnsaddr/ only')
  return Buffer.from(text, 'hex')
}

function once<T> (make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => made ??= make()
}
