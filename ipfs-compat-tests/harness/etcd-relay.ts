/** Stands between a peer and a member of etcd, and can be a bad network. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface EtcdRelay extends AsyncDisposable {
  readonly endpoint: string
  /** How often something was asked of that path so far. */
  asked (path: string): number
  /** Ends all connections; new ones go through. */
  cut (): void
  /** Watches that are open tell nothing any more, as if their packets were lost; all else goes through. */
  silenceWatches (): void
  /** Of the next so many transactions the answers are lost: etcd has carried them out, and who asked does not hear of it. */
  loseAnswers (count: number): void
}

export async function startEtcdRelay (target: string): Promise<EtcdRelay> {
  const { hostname, port } = new URL(target)
  const links = new Set<{ readonly near: Socket, readonly far: Socket, path: string, isSilent: boolean, losesAnswer: boolean }>()
  const counts = new Map<string, number>()
  let toLose = 0
  const server = createServer(near => {
    const far = connect(Number(port), hostname)
    const link = { near, far, path: '', isSilent: false, losesAnswer: false }
    links.add(link)
    near.on('data', (chunk: Buffer) => {
      const path = /^POST \/v3\/(\S+) /m.exec(chunk.toString('latin1'))?.[1]
      if (path !== undefined) {
        link.path = path
        counts.set(path, (counts.get(path) ?? 0) + 1)
        if (path === 'kv/txn' && toLose > 0) {
          toLose--
          link.losesAnswer = true
        }
      }
      far.write(chunk)
    })
    far.on('data', (chunk: Buffer) => {
      if (link.losesAnswer) near.destroy()
      else if (!link.isSilent) near.write(chunk)
    })
    for (const [one, other] of [[near, far], [far, near]] as const) {
      one.on('error', () => { other.destroy() })
      one.on('close', () => {
        links.delete(link)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => { for (const { near, far } of links) for (const socket of [near, far]) socket.destroy() }

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: path => counts.get(path) ?? 0,
    cut,
    silenceWatches () { for (const link of links) link.isSilent ||= link.path === 'watch' },
    loseAnswers (count) { toLose = count },
    async [Symbol.asyncDispose] () {
      cut()
      server.close()
      await once(server, 'close')
    }
  }
}
