/** What js-libp2p fails with, in the words of go-libp2p. */
import { KuboError, messageOf } from '../rpc/kubo-error.ts'

/** js-libp2p lists the addresses that it could not listen at, each with its stack. */
export function failedListen (err: unknown): KuboError {
  const failures = [...messageOf(err).matchAll(/^ *(\/\S+): (?:\w*Error: )?(.*)$/gm)].map(([, address = '', why = '']) => `${address}: ${why.includes('EADDRINUSE') ? 'bind: address already in use' : why}`)
  return new KuboError(`failed to listen on any addresses: [${failures.length === 0 ? messageOf(err) : failures.join(' ')}]`, { cause: err })
}

export function failedDial (peer: string, failures: readonly string[]): KuboError {
  const why = failures.length === 0 ? 'no addresses' : `all dials failed${failures.map(failure => `\n  * ${failure}`).join('')}`
  return new KuboError(`failed to dial: failed to dial ${peer}: ${why}`)
}

export function dialError (address: string, peer: string, err: unknown): string {
  return `[${address}] ${reason(address, peer, err)}`
}

function reason (address: string, peer: string, err: unknown): string {
  const [, family, host, port] = /^\/(ip[46])\/([^/]+)\/tcp\/(\d+)$/.exec(address) ?? []
  const said = [err, ...err instanceof AggregateError ? err.errors as unknown[] : []].map(each => each instanceof Error ? `${(each as NodeJS.ErrnoException).code ?? each.name} ${each.message}` : String(each)).join(' ')
  const target = family === undefined ? address : `tcp${family.slice(2)} ${family === 'ip6' ? `[${host}]` : host}:${port}`
  if (said.includes('ECONNREFUSED')) return `dial ${target}: connect: connection refused`
  if (/EHOSTUNREACH|ENETUNREACH/.test(said)) return `dial ${target}: connect: no route to host`
  if (/Timeout|ETIMEDOUT|AbortError/.test(said)) return `dial ${target}: i/o timeout`
  const other = /(12D3Koo\w+|Qm\w{44})/.exec(said.replaceAll(peer, ''))?.[1]
  if (other !== undefined) return `failed to negotiate security protocol: peer id mismatch: expected ${peer}, but remote key matches ${other}`
  return messageOf(err)
}
