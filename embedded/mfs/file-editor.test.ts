import t from 'tap'
import { createBlockService } from '../dag/block-service.ts'
import type { ReadOptions } from '../dag/block-service.ts'
import { hashByName } from '../dag/hashes.ts'
import { createMemoryStores } from '../store/memory-stores.ts'
import { createChunker } from '../unixfs/chunker.ts'
import type { Written } from '../unixfs/node-writer.ts'
import { readFile } from '../unixfs/reader.ts'
import { editFile } from './file-editor.ts'
import { loadNode, writerFor } from './mfs-node.ts'

const options: ReadOptions = { signal: new AbortController().signal, offline: true }
interface Edit { readonly at: number, readonly bytes: Uint8Array, readonly truncates?: boolean }

function createFiles (cidVersion: 0 | 1, chunker: string) {
  const blocks = createBlockService(createMemoryStores('memory').blocks, undefined)
  const format = { cidVersion, hash: hashByName('sha2-256')! } as const
  const tools = { blocks, options, rawLeaves: undefined, chunker: createChunker(chunker), now: () => ({ seconds: 1n, nanoseconds: 0 }) }
  return {
    empty: async (): Promise<Written> => await writerFor(format, false, blocks).node({ type: 'file', fileSize: 0n }, []),
    async edit ({ cid }: Written, { at, bytes, truncates = false }: Edit): Promise<Written> {
      const editor = editFile(await loadNode(cid, blocks, options), tools)
      if (truncates) await editor.truncate()
      await editor.seek(at)
      await editor.write(bytes)
      return await editor.finish()
    },
    read: async ({ cid }: Written): Promise<Buffer> => Buffer.concat(await Array.fromAsync(readFile(cid, { from: 0, length: Infinity }, blocks, options)))
  }
}

t.test('a file that is written over in its middle has the CID that Kubo gives it', async t => {
  const files = createFiles(0, 'size-262144')
  const first = await files.edit(await files.empty(), { at: 0, bytes: Buffer.from('content\n') })

  const second = await files.edit(first, { at: 3, bytes: Buffer.from('XYZ') })

  t.equal(second.cid.toString(), 'QmU6KsSX3pjCmh5ibEZJTBHumU7wUaBU9fBvcTiCGYeefY')
  t.equal(String(await files.read(second)), 'conXYZt\n')
})

for (const cidVersion of [0, 1] as const) {
  t.test(`a file reads as what was written to it, wherever and however often: CIDv${cidVersion}`, async t => {
    const files = createFiles(cidVersion, 'size-10')
    let file = await files.empty()
    let model = Buffer.alloc(0)

    for (let round = 1; round <= 40; round++) {
      const at = (round * 7919) % (model.length + 30)
      const bytes = Buffer.alloc((round * 31) % 97 + 1, round)
      file = await files.edit(file, { at, bytes })
      const grown = Buffer.alloc(Math.max(model.length, at + bytes.length))
      model.copy(grown)
      bytes.copy(grown, at)
      model = grown

      if (!(await files.read(file)).equals(model)) return t.fail(`round ${round}`)
    }
    t.equal(file.fileSize, BigInt(model.length))
  })
}

t.test('a file that is appended to over and over reads whole, several subtrees deep', async t => {
  const files = createFiles(0, 'size-10')
  let file = await files.empty()
  const piece = Buffer.from('0123456789'.repeat(45))

  for (let i = 0; i < 40; i++) file = await files.edit(file, { at: i * piece.length, bytes: piece })

  t.ok((await files.read(file)).equals(Buffer.concat(Array.from({ length: 40 }, () => piece))))
})

t.test('a file that is cut to nothing holds only what is written then', async t => {
  const files = createFiles(1, 'size-10')
  const long = await files.edit(await files.empty(), { at: 0, bytes: Buffer.alloc(100, 1) })

  const short = await files.edit(long, { at: 0, bytes: Buffer.from('short'), truncates: true })

  t.equal(String(await files.read(short)), 'short')
})
