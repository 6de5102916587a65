import type { Random } from '../../cluster/consensus/raft/simulator/random.ts'
import type { HeaderPairs } from '../harness/recordings/recording.ts'

/** A daemon with users, some of whom may not call everything, and with headers of its own, pages of others and preflights among them. */
export const guardedConfig = {
  API: {
    Authorizations: {
      admin: { AuthSecret: 'bearer:all', AllowedPaths: ['/api/v0'] },
      reader: { AuthSecret: 'bearer:reads', AllowedPaths: ['/api/v0/pin/ls', '/api/v0/cat', '/api/v0/dag', '/api/v0/repo/stat', '/api/v0/ls', '/api/v0/files/ls'] },
      writer: { AuthSecret: 'basic:d3JpdGVyOmh1c2g=', AllowedPaths: ['/api/v0/add', '/api/v0/pin/', '/api/v0/block/put', '/api/v0/dag/put', '/api/v0/dag/import', '/api/v0/files'] },
      other: { AuthSecret: 'basic:other:a secret', AllowedPaths: ['/api/v0/pin', '/api/v0/block/rm', '/api/v0/repo/gc'] },
      nobody: { AuthSecret: 'bearer:nothing', AllowedPaths: [] }
    },
    HTTPHeaders: {
      'Access-Control-Allow-Origin': ['http://example.com', 'https://app.example:8443', 'null'],
      'Access-Control-Allow-Methods': ['PUT', 'POST', 'GET'],
      'Access-Control-Allow-Credentials': ['true'],
      'Access-Control-Allow-Headers': ['X-Mine', 'Range'],
      'Access-Control-Expose-Headers': ['X-Mine'],
      'Server': ['somebody'],
      'X-Several': ['one', 'two'],
      'x-small': ['z\u00fc']
    }
  }
}

/** What `admin` sends. */
export const adminToken = 'Bearer all'

const tokens: readonly HeaderPairs[] = [
  [['Authorization', adminToken]], [['Authorization', adminToken]], [['Authorization', adminToken]], [['Authorization', adminToken]],
  [['Authorization', 'Bearer reads']], [['Authorization', 'Bearer reads']], [['Authorization', 'Basic d3JpdGVyOmh1c2g=']], [['Authorization', `Basic ${Buffer.from('other:a secret').toString('base64')}`]],
  [], [['Authorization', 'Bearer nothing']], [['Authorization', 'bearer reads']], [['Authorization', 'Bearer  reads']], [['Authorization', 'Bearer reads ']], [['Authorization', 'Bearer wrong']], [['Authorization', '']],
  [['Authorization', 'Bearer reads'], ['Authorization', adminToken]], [['Authorization', 'Bearer wrong'], ['Authorization', adminToken]], [['authorization', adminToken]], [['Authorization', 'bearer:reads']]
]

const pages: readonly HeaderPairs[] = [
  [['Origin', 'http://example.com']], [['Origin', 'https://app.example:8443'], ['Referer', 'https://app.example:8443/a?b']], [['Origin', 'null']], [['Origin', 'http://evil.example']], [['Origin', 'http://example.com/']], [['Origin', 'HTTP://example.com']], [['Origin', '']],
  [['Origin', 'http://127.0.0.1:{{API_PORT}}']], [['Origin', 'http://localhost:{{API_PORT}}'], ['Referer', 'http://localhost:{{API_PORT}}/webui']], [['Referer', 'http://example.com/x']], [['Referer', 'http://evil.example/']], [['Referer', '::']], [['User-Agent', 'Mozilla/5.0']], [['User-Agent', 'Mozilla/5.0'], ['Origin', 'http://example.com']],
  [['Origin', 'http://example.com'], ['Origin', 'http://evil.example']], [['Origin', 'http://evil.example'], ['Origin', 'http://example.com']], [['Origin', 'http://example.com'], ['Cookie', 'a=b'], ['X-Mine', '1']]
]

const preflights: readonly HeaderPairs[] = [
  [['Origin', 'http://example.com'], ['Access-Control-Request-Method', 'POST']], [['Origin', 'http://example.com'], ['Access-Control-Request-Method', 'PUT'], ['Access-Control-Request-Headers', 'content-type']],
  [['Origin', 'http://example.com'], ['Access-Control-Request-Method', 'POST'], ['Access-Control-Request-Headers', 'authorization,content-type']], [['Origin', 'http://example.com'], ['Access-Control-Request-Method', 'DELETE']],
  [['Origin', 'http://evil.example'], ['Access-Control-Request-Method', 'POST']], [['Origin', 'http://127.0.0.1:{{API_PORT}}'], ['Access-Control-Request-Method', 'POST']], [['Access-Control-Request-Method', 'POST']],
  [['Origin', 'null'], ['Access-Control-Request-Method', 'GET'], ['Access-Control-Request-Headers', 'x-mine']], [['Origin', 'http://example.com'], ['Access-Control-Request-Method', 'POST'], ['Access-Control-Request-Private-Network', 'true']], [['Origin', 'http://example.com']]
]

/** Who asks, and from where: `method` is then the one to ask by. */
export function randomCaller (random: Random): { readonly method: 'POST' | 'OPTIONS', readonly headers: HeaderPairs } {
  const token = random.pick(tokens)
  if (random.chance(0.12)) return { method: 'OPTIONS', headers: [...random.chance(0.3) ? [] : token, ...random.pick(preflights)] }
  return { method: 'POST', headers: [...token, ...random.chance(0.4) ? random.pick(pages) : []] }
}
