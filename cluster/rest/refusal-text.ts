import { Buffer } from 'node:buffer'

/** A whole HTTP answer to what did not become a request, after which the connection ends. @param status with its words: `400 Bad Request` */
export function refusalText (status: string, message: string): string {
  const body = `${JSON.stringify({ code: Number(status.slice(0, 3)), message })}\n`
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}
