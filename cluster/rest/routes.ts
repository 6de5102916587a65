import { addRoutes } from './add.ts'
import { allocationRoutes } from './allocations.ts'
import { valueAnswer } from './answer.ts'
import { auditRoutes } from './audit.ts'
import { healthRoutes } from './health.ts'
import { openApiDocument } from './openapi.ts'
import { peerRoutes } from './peers.ts'
import { pinRoutes } from './pins.ts'
import { rebalanceRoutes } from './rebalance.ts'
import { repoRoutes } from './repo.ts'
import { tokenRoutes } from './token.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** Everything that is answered. Requests are served, checked and described by this table and no other. */
export const routes: readonly Route[] = [
  ...peerRoutes,
  ...addRoutes,
  ...allocationRoutes,
  ...pinRoutes,
  ...auditRoutes,
  ...rebalanceRoutes,
  ...repoRoutes,
  ...healthRoutes,
  ...tokenRoutes,
  route({ method: 'GET', path: '/openapi.json', about: 'This API as an OpenAPI 3.1 document. An addition.', answer: { kind: 'document' } }, ({ version }) => valueAnswer(openApiDocument(routes, version)))
]
