import { linesAnswer, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { idToJson } from './answers.ts'
import type { RestCall } from './routes.ts'

export async function thisPeer ({ cluster, signal }: RestCall): Promise<Answer> {
  return valueAnswer(idToJson(await cluster.id({ signal })))
}

export function listPeers ({ cluster, signal }: RestCall): Answer {
  async function * ids (): AsyncGenerator<object> {
    for await (const id of cluster.peers({ signal })) yield idToJson(id)
  }
  return linesAnswer(ids())
}
