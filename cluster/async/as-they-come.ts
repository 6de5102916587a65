import { Channel } from './channel.ts'

/** What promises resolve with, the first that does first. @throws what the first to reject does, after what came before it */
export async function * asTheyCome<T> (promises: readonly Promise<T>[]): AsyncGenerator<T, void, undefined> {
  const come = new Channel<T>(promises.length)
  Promise.all(promises.map(async promise => { await come.send(await promise) })).then(() => { come.close() }, error => { come.close({ error }) })
  yield * come
}
