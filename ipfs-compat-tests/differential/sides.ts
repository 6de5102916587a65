import { startDaemon } from '../harness/kubo.ts'
import type { Daemon, DaemonOptions } from '../harness/kubo.ts'
import { startPeer } from '../harness/peer.ts'
import type { Target } from '../harness/recordings/replay.ts'
import type { RpcTarget } from '../harness/rpc.ts'

/** A daemon, and where it is asked: itself, or the proxy before it. */
export interface Side extends Target, RpcTarget {
  readonly name: 'bare' | 'proxied'
  readonly daemon: RpcTarget
}

export interface Sides extends AsyncDisposable {
  readonly bare: Side
  readonly proxied: Side
  readonly kind: Daemon['kind']
}

/**
 * Two equal daemons on fresh repos, one of them behind a peer of its own: the real Kubo when `IPFS_BIN` names one, else the embedded one.
 *
 * @param authorization what looks at the sides from outside the requests that are compared sends, where the daemons have users
 */
export async function startSides (options: DaemonOptions = {}, authorization?: string): Promise<Sides> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon(options))
  const peer = undo.use(await startPeer(options))
  const running = undo.move()
  return {
    kind: daemon.kind,
    bare: { name: 'bare', host: daemon.host, port: daemon.port, values: daemon.values, authorization, daemon: { host: daemon.host, port: daemon.port, authorization } },
    proxied: { name: 'proxied', host: peer.host, port: peer.port, values: peer.values, authorization, daemon: { host: peer.daemon.host, port: peer.daemon.port, authorization } },
    [Symbol.asyncDispose]: () => running.disposeAsync()
  }
}
