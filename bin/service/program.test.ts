import t from 'tap'
import { helpOf } from '../help.ts'
import { program } from './program.ts'

for (const command of [undefined, ...Object.keys(program.groups ?? {}), ...Object.keys(program.commands)]) {
  t.test(`help of ${command ?? 'the program'} has examples, and fits a terminal`, async t => {
    const lines = helpOf(program, command).split('\n')

    t.ok(lines.includes('examples:'))
    t.strictSame(lines.filter(line => line.length > 119 && !line.includes('/p2p/')), [], 'but for an example with a peer id')
  })
}
