import type { Move } from '../peer-ports.ts'
import { linesAnswer } from './answer.ts'
import { flag, integer } from './parameters.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

const usualRate = 10 << 20
const rateMax = 2 ** 40

export const rebalanceRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/rebalance',
    about: 'Moves pins to where the allocator would put them now, one at a time, and answers each when it is done; it ends when the client leaves. Refused while peers come and go. An addition.',
    query: {
      'dry-run': flag('Move nothing: answer what would be moved.'),
      rate: integer(`Bytes a second at most, on the average: ${usualRate} unless it is said.`, { min: 1, max: rateMax })
    },
    answer: { kind: 'lines', of: 'Move' }
  }, ({ overview, query, signal }) => {
    async function * lines (): AsyncGenerator<object> {
      for await (const move of overview.rebalance({ isDry: query['dry-run'], bytesPerSecond: query.rate ?? usualRate }, { signal })) yield moveToJson(move)
    }
    return linesAnswer(lines())
  })
]

const moveToJson = ({ cid, name, from, to, bytes, why, state, detail }: Move): object => ({ cid: cid.toString(), name, from, to, bytes: bytes ?? null, why, state, detail })
