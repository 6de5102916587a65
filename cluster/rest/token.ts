import { valueAnswer } from './answer.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

export const tokenRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/token',
    about: 'A token (JWT) that stands for the credentials this is asked with, to be sent as Authorization: Bearer. It is good until the user\'s password is changed. 401 where no users are configured.',
    answer: { kind: 'value', of: 'Token' }
  }, ({ token }) => valueAnswer({ token: token() }))
]
