import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import { sendError } from './answer.ts'
import { RefusedError } from './rest-error.ts'
import { routes } from './routes.ts'

/** 405 for a path that is there with another method. */
export async function notFound ({ method = '', url = '/' }: IncomingMessage, reply: FastifyReply): Promise<void> {
  const allowed = methodsOf(url.split('?', 1)[0]!)
  if (allowed.length === 0) return await sendError(reply, new RefusedError(404, 'not found'))
  await sendError(reply.header('allow', allowed.join(', ')), new RefusedError(405, `${method} is not a method of this path: expected ${allowed.join(' or ')}`))
}

/** Where a path that ends in "/" is sent on to, as in ipfs-cluster: to the one without, and never to another host. */
export function withoutSlash ({ url = '/' }: IncomingMessage): string | undefined {
  const [path = '/', query] = url.split('?', 2)
  const bare = `/${path.replace(/^\/+/, '').replace(/\/+$/, '')}`
  if (!path.endsWith('/') || bare === '/') return undefined
  return query === undefined ? bare : `${bare}?${query}`
}

const patterns = routes.map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`) }))

function methodsOf (path: string): readonly string[] {
  return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
}
