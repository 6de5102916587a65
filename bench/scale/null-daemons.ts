/**
 * Daemons that answer at once and hold nothing but the names of their pins, each on a port of its own, in one process: what a cluster costs
 * without what its daemons do. The argument is how many; their ports are the one line that is printed.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { plainAnswer } from './plain-answers.ts'

const listChunkCharacters = 64 << 10
/** What is pinned under this name is refused, so that there are errors to be found. */
const refusedName = 'refused'

interface Reply { readonly status: 200 | 404 | 500, readonly body: string }

const said = (value: object): Reply => ({ status: 200, body: `${JSON.stringify(value)}\n` })
const failed = (Message: string): Reply => ({ status: 500, body: `${JSON.stringify({ Message, Code: 0, Type: 'error' })}\n` })

/** Names by CID. All pins are recursive. */
type Pins = Map<string, string>

/** Answers what a peer asks its daemon for when nobody adds content. */
function answer (command: string, query: URLSearchParams, pins: Pins, number: number): Reply {
  const cid = query.get('arg') ?? ''
  switch (command) {
    case 'pin/ls': {
      if (query.get('type') === 'direct' && cid === '') return { status: 200, body: '' }
      const name = query.get('type') === 'recursive' ? pins.get(cid) : undefined
      return name === undefined ? failed(`path '${cid}' is not pinned`) : said({ Cid: cid, Type: 'recursive', Name: name })
    }
    case 'pin/add': {
      const name = query.get('name') ?? ''
      if (name === refusedName) return failed('refused')
      pins.set(cid, name)
      return said({ Pins: [cid] })
    }
    case 'pin/rm': return pins.delete(cid) ? said({ Pins: [cid] }) : failed('not pinned or pinned indirectly')
    default: {
      const plain = plainAnswer(command, { id: `null daemon ${number}`, objects: pins.size })
      return plain === undefined ? { status: 404, body: '404 page not found\n' } : said(plain)
    }
  }
}

const reasons = { 200: 'OK', 404: 'Not Found', 500: 'Internal Server Error' } as const

function write (socket: Socket, { status, body }: Reply): void {
  socket.write(`HTTP/1.1 ${status} ${reasons[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** All pins, at the pace of who reads. */
async function writeList (socket: Socket, pins: Pins): Promise<void> {
  const send = async (text: string): Promise<void> => {
    if (text !== '' && !socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)) await once(socket, 'drain')
  }
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
  let text = ''
  for (const [Cid, Name] of pins) {
    text += `${JSON.stringify({ Cid, Type: 'recursive', Name })}\n`
    if (text.length < listChunkCharacters) continue
    await send(text)
    text = ''
  }
  await send(text)
  socket.write('0\r\n\r\n')
}

/** Requests without bodies, one after another. */
function serve (socket: Socket, pins: Pins, number: number): void {
  let held = ''
  socket.on('error', () => {}).setNoDelay()
  socket.on('data', (chunk: Buffer) => {
    held += chunk.toString('latin1')
    for (let end = held.indexOf('\r\n\r\n'); end !== -1; end = held.indexOf('\r\n\r\n')) {
      const target = held.slice(0, held.indexOf('\r\n')).split(' ')[1] ?? ''
      held = held.slice(end + 4)
      const [path = '', search = ''] = target.split('?')
      const query = new URLSearchParams(search)
      const command = path.replace('/api/v0/', '')
      if (command === 'pin/ls' && query.get('type') === 'recursive' && !query.has('arg')) writeList(socket, pins).catch(() => socket.destroy())
      else write(socket, answer(command, query, pins, number))
    }
  })
}

async function listen (number: number): Promise<number> {
  const pins: Pins = new Map()
  const server = createServer(socket => { serve(socket, pins, number) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const count = Number(process.argv[2])
const ports = await Promise.all(Array.from({ length: count }, async (_, number) => await listen(number)))
process.stdout.write(`${JSON.stringify(ports)}\n`)
process.once('disconnect', () => process.exit())
