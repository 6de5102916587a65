/**
 * Daemons that take what is imported, forget its blocks and remember the names of its roots, each on a port of its own, in one process: what a cluster costs
 * however large an upload is. The argument is how many; their ports are the one line that is printed.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decode } from '@ipld/dag-cbor'
import { varint } from 'multiformats'
import type { CID } from 'multiformats/cid'
import { plainAnswer } from '../scale/plain-answers.ts'

/** The roots come last, in a CAR of their own: as much as a few of them take. */
const tailBytes = 8 << 10

interface Daemon {
  /** What is pinned, all of it recursively. */
  readonly pins: Set<string>
  readonly number: number
}

async function answer (request: IncomingMessage, reply: ServerResponse, { pins, number }: Daemon): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://daemon')
  const cid = url.searchParams.get('arg') ?? ''
  const said = (...values: readonly object[]): void => { reply.setHeader('content-type', 'application/json').end(values.map(value => `${JSON.stringify(value)}\n`).join('')) }
  const failed = (Message: string, status = 500): void => { reply.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify({ Message, Code: 0, Type: 'error' })}\n`) }
  const tail = await drained(request)
  const command = url.pathname.replace('/api/v0/', '')
  switch (command) {
    case 'dag/import': {
      const roots = rootsOf(tail)
      for (const root of roots) pins.add(root)
      return said(...roots.map(root => ({ Root: { Cid: { '/': root }, PinErrorMsg: '' } })))
    }
    case 'pin/ls': {
      if (url.searchParams.get('type') === 'direct') return cid === '' ? said() : failed(`path '${cid}' is not pinned`)
      const found = cid === '' ? [...pins] : [cid].filter(cid => pins.has(cid))
      return found.length === 0 && cid !== '' ? failed(`path '${cid}' is not pinned`) : said(...found.map(Cid => ({ Cid, Type: 'recursive', Name: '' })))
    }
    case 'pin/add': {
      pins.add(cid)
      return said({ Pins: [cid] })
    }
    case 'pin/rm': return pins.delete(cid) ? said({ Pins: [cid] }) : failed('not pinned or pinned indirectly')
    default: {
      const plain = plainAnswer(command, { id: `dropping daemon ${number}`, objects: pins.size })
      return plain === undefined ? failed('404 page not found', 404) : said(plain)
    }
  }
}

/** Reads it to its end and keeps that. */
async function drained (request: IncomingMessage): Promise<Buffer> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of request as AsyncIterable<Buffer>) {
    tail = chunk.byteLength >= tailBytes ? chunk.subarray(-tailBytes) : Buffer.concat([tail, chunk]).subarray(-tailBytes)
  }
  return tail
}

/** Of the CAR without blocks that a peer sends last, see `importBlocks`. */
function rootsOf (tail: Buffer): readonly string[] {
  const part = tail.lastIndexOf('filename="roots.car"')
  if (part === -1) return []
  const header = tail.subarray(tail.indexOf('\r\n\r\n', part) + 4)
  const [length, lengthBytes] = varint.decode(header)
  const { roots } = decode<{ readonly roots: readonly CID[] }>(header.subarray(lengthBytes, lengthBytes + length))
  return roots.map(String)
}

async function listen (_: unknown, number: number): Promise<number> {
  const daemon: Daemon = { pins: new Set(), number }
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, reply) => { answer(request, reply, daemon).catch(() => reply.destroy()) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const ports = await Promise.all(Array.from({ length: Number(process.argv[2]) }, listen))
process.stdout.write(`${JSON.stringify(ports)}\n`)
process.once('disconnect', () => process.exit())
