import type { Drift } from '../api/drift.ts'
import { linesAnswer } from './answer.ts'
import { flag } from './parameters.ts'
import { localParameter } from './pins.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

export const auditRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/audit',
    about: 'Compares the pinset with what each peer has noted and what its daemon holds, both ways; answers what differs, and mends nothing: POST /pins/recover does. No line at all when all is as it should be. An addition.',
    query: {
      ...localParameter,
      foreign: flag('Tell as well of what the daemons\' own users have pinned, at most 10000 of each peer: it is no fault, and nobody takes it away.')
    },
    answer: { kind: 'lines', of: 'Drift' }
  }, ({ overview, query: { local, foreign }, details, signal }) => {
    async function * lines (): AsyncGenerator<object> {
      const known = await details()
      for await (const drift of overview.audit({ local, foreign }, { signal })) yield driftToJson(drift, known(drift.peer).peername)
    }
    return linesAnswer(lines())
  })
]

const driftToJson = ({ peer, cid, name, kind, detail }: Drift, peername: string): object => ({ cid: cid.toString(), name, peer, peername, kind, detail })
