import t from 'tap'
import { FakeClock } from '../clock.ts'
import { collect } from './collect.ts'
import type { DaemonRequest, Requests } from './requests.ts'

const { signal } = new AbortController()
const call = { signal, timeoutMs: 0, holdupMs: 120_000 }
const nothing = { pins: new Set<string>(), imports: 0 }
const running = (Command: string, Args: readonly string[], minute: number, Active = true) => ({ Command, Args, Active, StartTime: `2026-01-01T00:${String(minute).padStart(2, '0')}:00.5Z` })
const question = running('diag/cmds', [], 10)

/** A daemon whose collection begins when `begin` is called, and that says it is busy with what `busy` answers. */
function daemonWith (busy: () => readonly unknown[]): { readonly requests: Requests, readonly asked: AsyncIterator<string>, readonly begin: (lines: string) => void } {
  const begun = Promise.withResolvers<string>()
  const questions: string[] = []
  let told = Promise.withResolvers<void>()
  const requests = {
    async post (_path: string, { signal }: DaemonRequest) {
      const left = new Promise<never>((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }, { once: true }) })
      const lines = await Promise.race([begun.promise, left])
      return { status: 200, headers: {}, body: body(lines, signal), trailers: () => ({}) }
    },
    async json (path: string) {
      questions.push(path)
      told.resolve()
      return busy()
    },
    async [Symbol.asyncDispose] () {}
  } as unknown as Requests
  /** As a socket: what has been given up is not read to its end. */
  async function * body (lines: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from(lines)
    await new Promise(setImmediate)
    signal.throwIfAborted()
  }
  async function * asked (): AsyncGenerator<string, void, undefined> {
    while (true) {
      while (questions.length > 0) yield questions.shift()!
      await told.promise
      told = Promise.withResolvers()
    }
  }
  return { requests, asked: asked(), begin: begun.resolve }
}

t.test('lines come as they are, and nobody asks what holds the daemon up', async t => {
  const { requests, begin } = daemonWith(() => { throw new Error('asked') })
  begin('{"Key":{"/":"bafkqaaa"}}\n{"Key":null,"Error":"broken"}\n')

  const lines = await Array.fromAsync(collect({ requests, clock: new FakeClock(), own: nothing }, call))

  t.strictSame(lines, [{ key: 'bafkqaaa', error: '' }, { key: '', error: 'broken' }])
})

t.test('what somebody else has the daemon do for too long ends it, and is named', async t => {
  const clock = new FakeClock()
  const busy = [running('pin/add', ['bafkold'], 5), running('pin/add', ['bafkdone'], 5, false), running('pin/add', ['bafknew'], 9), running('cat', ['bafkread'], 1), running('dag/import', [], 7), question]
  const { requests } = daemonWith(() => busy)

  const collecting = Array.fromAsync(collect({ requests, clock, own: nothing }, call))
  clock.advance(call.holdupMs)

  await t.rejects(collecting, {
    code: 'ERR_STALLED',
    message: 'the IPFS daemon has not begun to collect: it waits for pin/add bafkold (for 300 s), dag/import (for 180 s); end that, or try again when it has ended'
  })
})

t.test('the peer\'s own pins and imports are waited for, they have an end; and so is a daemon that does not tell', async t => {
  const clock = new FakeClock()
  const answers = [() => [running('pin/add', ['bafkours'], 5), running('dag/import', [], 5), question], () => { throw new Error('no such command') }, () => []]
  const { requests, asked, begin } = daemonWith(() => answers.shift()!())

  const collecting = Array.fromAsync(collect({ requests, clock, own: { pins: new Set(['bafkours']), imports: 1 } }, call))
  for (const _answer of Array.from(answers)) {
    clock.advance(call.holdupMs)
    t.equal((await asked.next()).value, 'diag/cmds')
    await new Promise(setImmediate)
  }
  begin('{"Key":{"/":"bafkqaaa"}}\n')

  t.strictSame(await collecting, [{ key: 'bafkqaaa', error: '' }])
})
