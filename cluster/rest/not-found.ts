import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import { sendError } from './answer.ts'
import { RefusedError } from './rest-error.ts'
import { routes } from './routes.ts'

/** A path that ends in "/" is sent on to the one without, as in ipfs-cluster; so is 405 for one that is there with another method. */
export async function notFound ({ method = '', url = '/' }: IncomingMessage, reply: FastifyReply): Promise<void> {
  const [path = '/', query] = url.split('?', 2)
  const bare = `/${path.replace(/^\/+/, '').replace(/\/+$/, '')}`
  if (path.endsWith('/') && path !== '/') return await reply.redirect(query === undefined ? bare : `${bare}?${query}`, 307)
  const allowed = methodsOf(path)
  if (allowed.length === 0) return await sendError(reply, new RefusedError(404, 'not found'))
  await sendError(reply.header('allow', allowed.join(', ')), new RefusedError(405, `${method} is not a method of this path: expected ${allowed.join(' or ')}`))
}

const patterns = routes.map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`) }))

function methodsOf (path: string): readonly string[] {
  return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
}
