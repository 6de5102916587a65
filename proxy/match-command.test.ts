import t from 'tap'
import { kuboCommand } from './command.ts'
import { matchCommand } from './match-command.ts'

const add = kuboCommand({ path: 'pin/add', args: [], options: {}, printed: String, xml: String, run: async () => {} })
const table = new Map([['pin/add', add]])
const argumentOf = (target: string): string | undefined => matchCommand(table, target)?.pathArgument ?? (matchCommand(table, target) === undefined ? 'the daemon' : 'none')

t.test('a command is found however its path is written', async t => {
  t.equal(argumentOf('/api/v0/pin/add?arg=x'), 'none')
  t.equal(argumentOf('/api/v0/pin%2Fadd'), 'none')
  t.equal(argumentOf('/api/v0/pin/%61dd'), 'none')
  t.equal(argumentOf('http://localhost:5001/api/v0/pin/add'), 'none')
  t.equal(argumentOf('ftp://x/api/v0/pin/add'), 'none')
  t.equal(argumentOf('/api/v0/pin/add/%2e%2e'), '..')
  t.equal(argumentOf('/%61pi/%760/pin/add?arg=x'), 'none')
})

t.test('one segment more is an argument, two are none of ours', async t => {
  t.equal(argumentOf('/api/v0/pin/add/QmX'), 'QmX')
  t.equal(argumentOf('/api/v0/pin/add/'), '')
  t.equal(argumentOf('/api/v0/pin/add/a%20b'), 'a b')
  t.equal(argumentOf('/api/v0/pin/add/a/b'), 'the daemon')
})

t.test('what Go redirects or refuses goes to the daemon', async t => {
  for (const target of ['//api/v0/pin/add', '/api%2Fv0/pin/add', '/api/v0', '/%61pi/v0', '/api/v0//pin/add', '/api/v0/pin/../pin/add', '/api/v0/pin/add/..', '/API/v0/pin/add', '/api/v0/pin/add#x', '/api/v0/pin/%zz', '/api/v0/pin/ls']) {
    t.equal(argumentOf(target), 'the daemon', target)
  }
})
