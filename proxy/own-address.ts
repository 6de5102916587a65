import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ClusterError } from '../cluster/api/errors.ts'
import type { AbortOptions } from '../cluster/ports.ts'
import type { DaemonCalls } from './daemon-calls.ts'

/**
 * A proxy whose daemon is itself would ask itself for ever. An address can lead back in many ways (another name, a container's
 * port), so a request is sent that only this process can recognise.
 */
export interface OwnAddressCheck {
  /** Answers the request that came back; to be asked of every request while the check runs. */
  caught (request: IncomingMessage, response: ServerResponse): boolean
  /** @throws ClusterError ERR_INVALID_ARGUMENT when the daemon's address is our own */
  run (calls: DaemonCalls, address: string, options: AbortOptions): Promise<void>
}

export function ownAddressCheck (): OwnAddressCheck {
  const mark = randomUUID()
  let cameBack = false
  return {
    caught (request, response) {
      if (request.headers['x-own-address-check'] !== mark) return false
      cameBack = true
      response.end()
      return true
    },
    async run (calls, address, { signal }) {
      const headers = ['X-Own-Address-Check', mark]
      // A daemon that is not there yet is no reason not to start.
      await calls.send('version?encoding=__probe__', { headers, as: 'caller', signal }).then(({ body }) => { body.resume() }, () => signal.throwIfAborted())
      if (cameBack) throw new ClusterError('ERR_INVALID_ARGUMENT', `api.ipfsproxy.node_multiaddress: ${address} leads to the proxy itself; it has to be the address of an IPFS daemon`)
    }
  }
}
