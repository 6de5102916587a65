import { Buffer } from 'node:buffer'
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import { RefusedError } from './rest-error.ts'

/** Those of `basic_auth_credentials`. */
export interface Users {
  /** Who asks, by password or token. @throws UnauthorizedError */
  authorize (request: IncomingMessage): string
  /** One that `authorize` takes for `user`, as long as the password is the same. */
  token (user: string): string
}

export class UnauthorizedError extends RefusedError {
  /** The values of WWW-Authenticate. */
  readonly challenges: string[]

  constructor (message: string, challenges: string[]) {
    super(401, message)
    this.challenges = challenges
  }
}

const realm = 'realm="Restricted IPFS Cluster API"'
const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }

/** Tokens are ipfs-cluster's: a JWT whose issuer is the user, signed (HMAC) with the password. What is secret is compared in constant time. */
export function createUsers (credentials: Readonly<Record<string, string>>, clock: Clock): Users {
  const passwords = new Map(Object.entries(credentials))
  /** Of a user who is not there: to look into it costs as much time as for one who is. */
  const nobodys = randomBytes(32).toString('hex')
  const passwordOf = (user: string): string => passwords.get(user) ?? nobodys

  const byPassword = (encoded: string): string | undefined => {
    const [user, password] = splitOnce(Buffer.from(encoded, 'base64').toString('utf8'))
    return timingSafeEqual(digest(password), digest(passwordOf(user))) && passwords.has(user) ? user : undefined
  }
  const byToken = (token: string): string | undefined => {
    const [header = '', claims = '', signature = ''] = token.split('.')
    const { iss: user, exp = Infinity, nbf = -Infinity } = jsonIn(claims)
    const hash = hashes[String(jsonIn(header)['alg'])]
    if (hash === undefined || typeof user !== 'string') return undefined
    const expected = createHmac(hash, passwordOf(user)).update(`${header}.${claims}`).digest()
    const isSigned = timingSafeEqual(digest(expected), digest(Buffer.from(signature, 'base64url')))
    const seconds = clock.now() / 1_000
    return isSigned && passwords.has(user) && Number(nbf) <= seconds && seconds < Number(exp) ? user : undefined
  }

  return {
    authorize ({ headers: { authorization } }) {
      const [, scheme = '', value = ''] = /^(Basic|Bearer) +([^ ]+)$/i.exec(authorization ?? '') ?? []
      if (scheme === '') throw new UnauthorizedError('unauthorized: no auth provided', [`Bearer ${realm}`, `Basic ${realm}`])
      if (scheme.toLowerCase() === 'basic') return byPassword(value) ?? refuse('unauthorized: access denied', `Basic ${realm}`)
      return byToken(value) ?? refuse('unauthorized: invalid token', `Bearer ${realm}, error="invalid_token"`)
    },
    token (user) {
      const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ iss: user })}`
      return `${signed}.${createHmac('sha256', passwordOf(user)).update(signed).digest('base64url')}`
    }
  }
}

function refuse (message: string, challenge: string): never {
  throw new UnauthorizedError(message, [challenge])
}

function splitOnce (text: string): [string, string] {
  const at = text.indexOf(':')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function jsonIn (part: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))) as Record<string, unknown>
  } catch {
    return {}
  }
}

const encoded = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')
const digest = (secret: string | Buffer): Buffer => createHash('sha256').update(secret).digest()
