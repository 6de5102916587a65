import t from 'tap'
import { KuboRepliedError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { enoughHolders } from './holders.ts'

const [self, second, third] = ['self', 'second', 'third'] as unknown as [PeerId, PeerId, PeerId]
const peers = [self, second, third]
const never = { signal: new AbortController().signal }

t.test('enough is enough: the slow ones are let go of', async t => {
  let letGo: unknown

  const isHeld = await enoughHolders({
    peers, min: 2, required: self, ask: async (peer, { signal }) => peer !== third || await new Promise<boolean>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        letGo = signal.reason
        reject(signal.reason as Error)
      })
    })
  }, never)

  t.equal(isHeld, true)
  t.match(letGo, { message: 'nobody waits for the answer' })
})

t.test('the peer that was asked is waited for although others are enough', async t => {
  const own = Promise.withResolvers<boolean>()
  let isAnswered = false

  const waiting = enoughHolders({ peers, min: 2, required: self, ask: async peer => peer === self ? await own.promise : true }, never).finally(() => { isAnswered = true })
  await new Promise(setImmediate)
  const before = isAnswered
  own.resolve(true)

  t.equal(await waiting, true)
  t.equal(before, false)
})

t.test('one that fails is done without while enough are left, and its failure is the answer when they are not', async t => {
  const broken = new KuboRepliedError('block not found', { status: 500, kuboCode: 0 })
  const away = new Error('no answer')
  const ask = async (peer: PeerId): Promise<boolean> => {
    if (peer === second) throw broken
    if (peer === third) throw away
    return true
  }

  t.equal(await enoughHolders({ peers, min: 1, required: self, ask }, never), true)
  await t.rejects(enoughHolders({ peers, min: 2, required: self, ask }, never), broken)
  await t.rejects(enoughHolders({ peers: [self, third], min: 2, required: self, ask }, never), {
    code: 'ERR_TOO_FEW_DESTINATIONS', message: '1 of 2 peers can hold it, 2 needed; third: no answer'
  })
})

t.test('when the asked peer itself cannot hold it, its own reason is the answer at once', async t => {
  const broken = new KuboRepliedError('no space left', { status: 500, kuboCode: 0 })

  await t.rejects(enoughHolders({ peers, min: 1, required: self, ask: async peer => {
    if (peer === self) throw broken
    return true
  } }, never), broken)
})

t.test('a pin that somebody else has changed is held by nobody', async t => {
  t.equal(await enoughHolders({ peers, min: 3, required: self, ask: async peer => peer !== second }, never), false)
})

t.test('who gives up is let go at once, and so are the peers', async t => {
  const caller = new AbortController()
  const waiting = enoughHolders({ peers, min: 1, required: self, ask: async (_peer, { signal }) => await new Promise<boolean>((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason as Error) })
  }) }, caller)

  caller.abort(new Error('gone'))

  await t.rejects(waiting, { message: 'gone' })
})

t.test('nothing has to be held when nobody is to hold it', async t => {
  t.equal(await enoughHolders({ peers: [], min: 0, required: undefined, ask: async () => true }, never), true)
})
