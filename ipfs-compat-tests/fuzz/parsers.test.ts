import t from 'tap'
import { readCar } from '../../adder/car.ts'
import { addEntries } from '../../adder/entries.ts'
import { multipartBoundary, readMultipart } from '../../cluster/api/kubo/multipart.ts'
import { carBytes, fileBytes, multipartBody } from './bodies.ts'
import { mutate } from './mutate.ts'
import { chanceOf } from './random.ts'
import type { Chance } from './random.ts'
import { deniedOffLoopback, commandRules } from '../../proxy/command-rules.ts'
import { matchCommand } from '../../proxy/match-command.ts'
import { mayWriteFiles } from '../../proxy/mfs-root.ts'

const seed = 5
const times = 1_500

/** The same bytes in pieces, which the reader may come to own. */
async function * inPieces (bytes: Buffer, chance: Chance | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const length = chance === undefined ? bytes.length : 1 + chance.size(chance.oneIn(4) ? 8 : 5_000)
    yield Buffer.from(bytes.subarray(at, at + length))
    at += length
  }
}

/** Everything that a reader told, or why it stopped; pieces of content are joined. */
async function told (read: (tell: (line: string) => void) => Promise<void>): Promise<string> {
  const lines: string[] = []
  try {
    await read(line => { lines.push(line) })
  } catch (err) {
    lines.push(`${(err as Error).name}: ${(err as Error).message}`)
  }
  return lines.join('\n')
}

async function toldOfUpload (bytes: Buffer, boundary: string, chance: Chance | undefined): Promise<string> {
  return await told(async tell => {
    for await (const { path, kind, isTop, content } of addEntries(readMultipart(inPieces(bytes, chance), boundary))) {
      tell(`${kind} ${path} ${isTop}`)
      tell(Buffer.concat(await Array.fromAsync(content)).toString('base64'))
    }
  })
}

async function toldOfCar (bytes: Buffer, chance: Chance | undefined): Promise<string> {
  return await told(async tell => {
    const car = await readCar(inPieces(bytes, chance), { allowBigBlock: false })
    tell(`roots ${car?.roots.join()}`)
    if (car !== undefined) for await (const blocks of car.blocks) for (const { cid, bytes } of blocks) tell(`${cid} ${Buffer.from(bytes).toString('base64')}`)
  })
}

t.test('an upload is read alike however its bytes are cut into pieces', async t => {
  let different = 0
  for (let i = 0; i < times; i++) {
    const chance = chanceOf(seed * times + i)
    const { bytes, contentType } = multipartBody(chance, () => fileBytes(chance))
    const boundary = multipartBoundary(contentType) ?? 'b'
    const [whole, pieces] = [await toldOfUpload(bytes, boundary, undefined), await toldOfUpload(bytes, boundary, chance)]
    if (whole === pieces) continue
    different++
    t.equal(pieces.slice(0, 2_000), whole.slice(0, 2_000), `upload ${i}: ${JSON.stringify(bytes.toString('latin1').slice(0, 500))}`)
  }
  t.equal(different, 0)
})

t.test('a CAR is read alike however its bytes are cut into pieces', async t => {
  let different = 0
  for (let i = 0; i < times; i++) {
    const chance = chanceOf(seed * times + i)
    const bytes = carBytes(chance)
    const [whole, pieces] = [await toldOfCar(bytes, undefined), await toldOfCar(bytes, chance)]
    if (whole === pieces) continue
    different++
    t.equal(pieces.slice(0, 2_000), whole.slice(0, 2_000), `CAR ${i}: ${bytes.toString('base64').slice(0, 500)}`)
  }
  t.equal(different, 0)
})

t.test('no target makes the readers of targets fail, and what is no path of a command is none', async t => {
  const rules = commandRules({ listenMultiaddress: [], allow: undefined, deny: deniedOffLoopback })
  for (let i = 0; i < 20 * times; i++) {
    const chance = chanceOf(seed * times + i)
    const target = mutate(Buffer.from(chance.pick(['/api/v0/pin/add?arg=x', 'http://x/api/v0/shutdown', '/api/v0/files/write', '/webui', '*', ''])), chance).toString('latin1')

    const readings = [matchCommand(new Map(), target), rules.refuses(target), mayWriteFiles(target)]

    if (readings.length !== 3) t.fail(target)
  }
  t.equal(matchCommand(new Map(), ''), undefined)
})
