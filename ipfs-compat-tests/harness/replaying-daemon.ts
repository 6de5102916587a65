/** A daemon that answers straight from a group of recordings, byte for byte: for tests of what stands before it, alone. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { originForm } from '../../cluster/api/kubo/query.ts'
import { ClientGoneError, RequestBody } from '../../embedded/http/request-body.ts'
import { header, readRequestHead } from '../../embedded/http/request-head.ts'
import { SocketReader } from '../../embedded/http/socket-reader.ts'
import type { Placeholders } from './kubo.ts'
import { playable } from './recordings/playable.ts'
import type { Playable } from './recordings/playable.ts'
import type { RecordedGroup, RecordedRequest } from './recordings/recording.ts'
import { fillIn, requestBody } from './recordings/request-bytes.ts'

const host = '127.0.0.1'
const pieceBytes = 64 * 1024

export interface ReplayingDaemon extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly multiaddr: string
  readonly values: Placeholders
  /** What it plays, exact in every byte: for `replayGroup`. */
  readonly group: RecordedGroup
  /** Requests that no recording knows, or that came more often than recorded. Each was answered with 500 and a text that says so. */
  readonly strangers: readonly string[]
}

/** A recorded request as it arrives, and its answer. */
interface Scene {
  readonly play: Playable
  readonly line: string
  readonly headers: string
  readonly expects: string | undefined
  readonly body: Buffer
  isPlayed: boolean
}

/**
 * Each recorded answer is given once, to the request it was recorded for: method, target, version, every header that is not of the
 * connection alone, and body. Of equal requests the one recorded first is answered first.
 */
export async function startReplayingDaemon (group: RecordedGroup): Promise<ReplayingDaemon> {
  const sockets = new Set<Socket>()
  const strangers: string[] = []
  let scenes: readonly Scene[] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    void serve(socket, () => scenes, strangers)
  }).listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const values = valuesAt(port)
  const plays = group.cases.map(recorded => playable(recorded, values))
  scenes = plays.map(play => sceneOf(play, values))
  return {
    host, port, values, strangers,
    multiaddr: `/ip4/${host}/tcp/${port}`,
    group: { ...group, cases: plays.map(({ recorded }) => recorded) },
    async [Symbol.asyncDispose] () {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}

async function serve (socket: Socket, scenes: () => readonly Scene[], strangers: string[]): Promise<void> {
  const reader = new SocketReader(socket)
  try {
    while (await answer(socket, reader, scenes)) { /* the next request on this connection */ }
  } catch (err) {
    if (!(err instanceof ClientGoneError)) {
      strangers.push((err as Error).message)
      refuse(socket, (err as Error).message)
    }
  }
  socket.end()
}

/** @returns whether the connection can take another request @throws Error for what no recording knows */
async function answer (socket: Socket, reader: SocketReader, scenes: () => readonly Scene[]): Promise<boolean> {
  const head = await readRequestHead(reader)
  if (head === undefined) return false
  const expects = header(head, 'expect')
  const body = new RequestBody(reader, head.framing, () => { if (expects !== undefined) socket.write('HTTP/1.1 100 Continue\r\n\r\n') })
  const [line, headers] = [lineOf(head.method, head.target, head.version), ownHeaders(head.headers)]
  const candidates = scenes().filter(scene => !scene.isPlayed && scene.line === line && scene.headers === headers && scene.expects === expects)
  const refusing = expects === undefined ? undefined : candidates.find(({ play }) => play.recorded.response.informational === undefined)
  const scene = refusing ?? await matching(body, candidates, ({ play }) => { begin(socket, play) })
  if (scene === undefined) throw new Error(`no recording knows ${line}`)

  scene.isPlayed = true
  if (scene.play.early === undefined) begin(socket, scene.play)
  if (scene.play.early?.isAll !== true) finish(socket, scene.play)
  if (isEndless(scene.play)) await reader.gone
  return body.isEnded && keepsConnection(scene.play)
}

/** Reads the body piece by piece, because some answers begin in the midst of it. */
async function matching (body: RequestBody, candidates: readonly Scene[], isDue: (scene: Scene) => void): Promise<Scene | undefined> {
  let held: Buffer = Buffer.alloc(0)
  let left = candidates
  while (true) {
    const due = left.find(({ play, body }) => play.early !== undefined && play.recorded.request.gateAfter === held.length && held.equals(body.subarray(0, held.length)))
    if (due !== undefined) {
      isDue(due)
      left = [due]
    }
    const gates = left.map(({ play }) => (play.recorded.request.gateAfter ?? 0) - held.length).filter(bytes => bytes > 0)
    const piece = await body.read(Math.min(pieceBytes, ...gates))
    if (piece === undefined) return left.find(scene => scene.body.equals(held))
    held = Buffer.concat([held, piece])
  }
}

function begin (socket: Socket, play: Playable): void {
  if (play.recorded.response.status === 0) return
  writeHead(socket, play)
  if (play.early === undefined) return
  writeBody(socket, play, play.early.body)
  if (play.early.isAll) finish(socket, play)
}

function finish (socket: Socket, play: Playable): void {
  const { request, response } = play.recorded
  if (request.method === 'HEAD') return
  writeBody(socket, play, play.body.subarray(play.early?.body.length ?? 0))
  if (!isChunked(play) || isEndless(play)) return
  socket.write(Buffer.from(`0\r\n${response.trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`))
}

function writeHead (socket: Socket, { recorded: { response } }: Playable): void {
  const values = valuesAt(socket.localPort!)
  const lines = response.headers.map(([name, value]) => `${name}: ${fillIn(value, values)}\r\n`)
  socket.write(Buffer.from(`HTTP/${response.version ?? '1.1'} ${response.status} ${response.reason}\r\n${lines.join('')}\r\n`))
}

function writeBody (socket: Socket, play: Playable, bytes: Buffer): void {
  if (bytes.length === 0) return
  socket.write(isChunked(play) ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]) : bytes)
}

function refuse (socket: Socket, text: string): void {
  socket.write(`HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}

const headerOf = ({ recorded: { response } }: Playable, wanted: string): string | undefined => response.headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
const isEndless = ({ recorded: { response } }: Playable): boolean => response.endless === true || response.noAnswer === true
const isChunked = (play: Playable): boolean => headerOf(play, 'transfer-encoding') === 'chunked'

function keepsConnection (play: Playable): boolean {
  const { version, status } = play.recorded.response
  const connection = headerOf(play, 'connection')
  if (connection === 'close' || (version === '1.0' && connection !== 'keep-alive')) return false
  return isChunked(play) || headerOf(play, 'content-length') !== undefined || status === 204
}

function sceneOf (play: Playable, values: Placeholders): Scene {
  const { method, path, version, headers, body }: RecordedRequest = play.recorded.request
  const target = Buffer.from(fillIn(path, values)).toString('latin1')
  const arrived = headers.map(([name, value]) => [name.toLowerCase(), Buffer.from(fillIn(value, values)).toString('latin1').trim()] as const)
  return { play, line: lineOf(method, target, version ?? '1.1'), headers: ownHeaders(arrived), expects: header({ headers: arrived }, 'expect'), body: requestBody(body, values), isPlayed: false }
}

const lineOf = (method: string, target: string, version: string): string => `${method} ${originForm(target)} HTTP/${version}`

/** Of the connection, not of the request: each hop has its own. */
const ofTheConnection = new Set(['host', 'content-length', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'http2-settings', 'expect'])

function ownHeaders (headers: readonly (readonly [string, string])[]): string {
  return headers.filter(([name]) => !ofTheConnection.has(name)).map(([name, value]) => `${name}: ${value}`).join('\n')
}

function valuesAt (port: number): Placeholders {
  return {
    API_PORT: String(port),
    SWARM_PORT: '4001',
    REPO_PATH: '/recorded/repo',
    PEER_ID: '12D3KooWKbcV4sTM1PG8D1UZ7YDUWVLyQrPBNaPrVThi11wsB6Cc',
    PEER_ID_B36: 'k51qzi5uqu5dkvrv9w29c7vd2ftqw8e7l9ymu6ykxfuoluqi7uqkzjtcwa2v8h',
    PUBLIC_KEY: 'CAESIA==',
    VERSION: '0.44.0-dev'
  }
}
