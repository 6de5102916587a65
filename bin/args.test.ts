import t from 'tap'
import { parseCommandLine } from './args.ts'
import type { Program } from './args.ts'

const program: Program = {
  name: 'prog',
  version: '1.2.3',
  about: 'a program',
  flags: {
    config: { type: 'string', aliases: ['c'], env: 'PROG_PATH', fallback: '~/.prog', help: 'the folder' },
    https: { type: 'boolean', aliases: ['s'], help: 'use TLS' },
    version: { type: 'boolean', aliases: ['v'], help: 'print the version' }
  },
  examples: ['id'],
  groups: { pin: 'what is kept' },
  commands: {
    id: { help: 'who it is' },
    'pin add': {
      usage: '<cid>',
      args: { min: 1, max: 1 },
      flags: { 'replication-min': { type: 'string', aliases: ['rmin'], kind: 'integer', help: 'fewest' }, in: { type: 'string', kind: 'duration', help: 'when' }, mode: { type: 'string', words: ['recursive', 'direct'], help: 'how' }, metadata: { type: 'string', multiple: true, help: 'k=v' }, skip: { type: 'boolean', aliases: ['s'], help: 'skip' }, 'no-status': { type: 'boolean', aliases: ['ns'], help: 'quiet' } },
      help: 'pins',
      examples: ['pin add QmX']
    },
    'pin rm': { args: { min: 1, max: Infinity }, help: 'unpins' }
  }
}
const run = (line: string, env = {}) => {
  const parsed = parseCommandLine(program, line.split(' ').filter(word => word !== ''), env)
  if (parsed.kind !== 'run') throw new Error('expected a command')
  return parsed.invocation
}

t.test('flags of the program and of the command are read in any of the forms of Go', async t => {
  for (const line of ['pin add --replication-min 2 QmX', 'pin add -rmin=2 QmX', 'pin add QmX --rmin 2', '-s=false pin add -replication-min 2 QmX']) {
    const { command, args, flags } = run(line)

    t.strictSame([command, args, flags.text('replication-min'), flags.is('https')], ['pin add', ['QmX'], '2', false], line)
  }
})

t.test('one letter means the program\'s flag before the command and the command\'s after it', async t => {
  t.strictSame(['https', 'skip'].map(name => run('-s pin add QmX').flags.is(name)), [true, false])
  t.strictSame(['https', 'skip'].map(name => run('pin add -s QmX').flags.is(name)), [false, true])
})

t.test('a switch may be named no-something, be turned off, and its last word counts', async t => {
  t.ok(run('pin add --no-status QmX').flags.is('no-status'))
  t.ok(run('pin add --ns QmX').flags.is('no-status'))
  t.notOk(run('pin add --ns --ns=false QmX').flags.is('no-status'))
  t.ok(run('pin add --ns=false --ns QmX').flags.is('no-status'))
})

t.test('a flag stands over its variable, the variable over the default', async t => {
  t.equal(run('-c /a id', { PROG_PATH: '/b' }).flags.text('config'), '/a')
  t.equal(run('id', { PROG_PATH: '/b' }).flags.text('config'), '/b')
  t.equal(run('id', { PROG_PATH: '' }).flags.text('config'), '~/.prog')
})

t.test('a flag may be given several times where that means something', async t => {
  t.strictSame(run('pin add --metadata a=b --metadata c=d QmX').flags.texts('metadata'), ['a=b', 'c=d'])
})

t.test('after two dashes nothing is a flag', async t => {
  t.strictSame(run('pin rm -- -x --y').args, ['-x', '--y'])
})

t.test('help and version are shown, for the program and for a command', async t => {
  t.strictSame(parseCommandLine(program, ['--version'], {}), { kind: 'show', text: 'prog version 1.2.3\n' })
  for (const [words, shown] of [[['--help'], /pin add\s+pins/], [['--help'], /examples:\n  prog id\n/], [['help', 'pin', 'add'], /--replication-min, --rmin value\s+fewest/], [['help', 'pin', 'add'], /how: recursive, direct\n/], [['pin', 'add', '-h'], /prog pin add <cid>[^]*examples:\n  prog pin add QmX\n/], ...[['pin'], ['pin', '--help'], ['help', 'pin']].map(words => [words, /^prog pin <command>\n\n  what is kept\n\ncommands:\n  add  pins\n  rm   unpins\n\nexamples:\n  prog pin add QmX\n/] as const)] as const) {
    t.match(parseCommandLine(program, words, {}), { kind: 'show', text: shown })
  }
})

t.test('help is no wider than 119 columns', async t => {
  const wide: Program = { ...program, commands: { id: { help: 'word '.repeat(60), flags: { long: { type: 'string', help: 'word '.repeat(60) } } } } }

  for (const words of [['--help'], ['id', '--help'], ['help', '--help']]) {
    const parsed = parseCommandLine(wide, words, {})

    t.ok(parsed.kind === 'show' && parsed.text.split('\n').every(line => line.length <= 119), words.join(' '))
  }
})

for (const [line, why] of Object.entries({
  '': /no command given/,
  'idd': /no command "idd" \(did you mean id\?\)/,
  'pin ad': /prog pin: expected one of add, rm, got ad \(did you mean add\?\)/,
  'pni': /no command "pni" \(did you mean pin\?\)/,
  'help pin ad': /did you mean add/,
  'help nothing': /no command "nothing"/,
  'id --mode direct': /unknown flag --mode for id \(it belongs after pin add\)/,
  'id --version': /--version belongs before the command/,
  'pin add --rmin two QmX': /--replication-min: expected an integer, got "two"/,
  'pin add --in 30 QmX': /--in: expected a duration like 30s or 1h30m, got "30"/,
  'pin add --mode direkt QmX': /--mode: expected recursive or direct, got "direkt" \(did you mean direct\?\)/,
  'pin add': /expected 1 argument, got 0\nusage: prog pin add <cid>/,
  'pin add a b': /expected 1 argument, got 2/,
  'pin rm': /expected at least 1 argument/,
  'pin add --replicaton-min 2 QmX': /unknown flag --replicaton-min for pin add \(did you mean replication-min\?\)/,
  '--confg x id': /unknown flag --confg before the command \(did you mean config\?\)/,
  'pin add QmX --rmin': /--replication-min wants a value/,
  '--https=maybe id': /--https: expected true or false/
})) {
  t.test(`refuses "${line}"`, async t => {
    t.throws(() => run(line), { name: 'UsageError', message: why })
  })
}
