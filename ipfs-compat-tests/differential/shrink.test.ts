import t from 'tap'
import type { RecordedRequest } from '../harness/recordings/recording.ts'
import { scriptOf } from './judge.ts'
import { shrink } from './shrink.ts'

const part = { headers: [], body: 'x' } as const
const request = (path: string): RecordedRequest => ({ method: 'POST', path, headers: [['Connection', 'close']], body: { boundary: 'b', multipart: [part, part] } })

t.test('a script shrinks to what it fails by', async t => {
  const script = [request('/api/v0/version'), request('/api/v0/pin/ls?arg=a&names=true&type=all'), request('/api/v0/id')]
  const fails = async (candidate: readonly RecordedRequest[]): Promise<boolean> => candidate.some(({ path }) => path.includes('names=true'))

  t.strictSame(await shrink(script, fails, 100), [{ method: 'POST', path: '/api/v0/pin/ls?names=true', headers: [] }])
})

t.test('no more scripts are tried than allowed', async t => {
  let tries = 0

  await shrink([request('/a?b&c&d&e&f')], async () => { tries++; return false }, 3)

  t.equal(tries, 3)
})

t.test('a seed and a number always stand for the same script', async t => {
  t.strictSame(scriptOf(5, 17), scriptOf(5, 17))
  t.notSame(scriptOf(5, 17), scriptOf(5, 18))
})
