import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { parseCommandLine } from '../args.ts'
import { commandList, completionScript } from './completion.ts'
import { program } from './program.ts'

const hasBash = existsSync('/bin/bash')

/** What bash would propose for the last word of each line. */
async function proposed (lines: readonly string[]): Promise<readonly string[]> {
  const asked = lines.map(line => `COMP_WORDS=(${line.split(' ').map(word => `'${word}'`).join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _ipfs_cluster_ctl; echo "\${COMPREPLY[*]}"`)
  const { stdout } = await promisify(execFile)('/bin/bash', ['--norc', '-c', `${completionScript(program, 'bash')}\n${asked.join('\n')}`])
  return stdout.slice(0, -1).split('\n')
}

t.test('bash is proposed commands, flags and what a flag may be', { skip: hasBash ? false : 'no bash here' }, async t => {
  const cases: Readonly<Record<string, string>> = {
    'ipfs-cluster-ctl p': 'peers pin',
    'ipfs-cluster-ctl pin u': 'update',
    'ipfs-cluster-ctl --host /ip4/127.0.0.1/tcp/9094 -s pin r': 'rm',
    'ipfs-cluster-ctl --enc ': 'text json',
    'ipfs-cluster-ctl pin add --mode d': 'direct',
    'ipfs-cluster-ctl pin add --replication-m': '--replication-min --replication-max',
    'ipfs-cluster-ctl pin add --name pin --wait-l': '--wait-limit',
    'ipfs-cluster-ctl completion z': 'zsh',
    'ipfs-cluster-ctl --ba': '--basic-auth',
    'ipfs-cluster-ctl health ': 'graph metrics alerts bandwidth',
    'ipfs-cluster-ctl add -s size-1 --lay': '--layout',
    'ipfs-cluster-ctl status x': ''
  }

  t.strictSame(await proposed(Object.keys(cases)), Object.values(cases))
})

t.test('zsh and fish are told the same', async t => {
  const zsh = completionScript(program, 'zsh')
  const fish = completionScript(program, 'fish')

  t.match(zsh, /^#compdef ipfs-cluster-ctl\n/)
  t.match(zsh, /\n {4}'pin'\) if .* else compadd -- add rm update ls why; fi ;;\n/)
  t.match(fish, /\ncomplete -c ipfs-cluster-ctl -n __fish_use_subcommand -a status -d 'where pins stand'\n/)
  t.match(fish, /-n '__fish_seen_subcommand_from pin; and __fish_seen_subcommand_from add' -l mode -x -a 'recursive direct' -d /)
  t.match(fish, /-n '__fish_seen_subcommand_from add; and not __fish_seen_subcommand_from peers pin' -l wait-timeout /)
  t.notMatch(fish, /-d '[^'\\]*'[^\n]*[^'\n]'$/m, 'a quote in a help text is escaped')
  t.throws(() => completionScript(program, 'tcsh'), { name: 'UsageError', message: /expected bash, zsh, fish, got "tcsh"/ })
})

t.test('commands lists groups and what is in them', async t => {
  t.match(commandList(program), /^ipfs-cluster-ctl id\nipfs-cluster-ctl peers\nipfs-cluster-ctl peers ls\n[^]*\nipfs-cluster-ctl commands\n[^]*\nipfs-cluster-ctl help\n$/)
})

t.test('each of them has help that shows examples, no wider than Go\'s', async t => {
  for (const line of commandList(program).trimEnd().split('\n')) {
    const parsed = parseCommandLine(program, [...line.split(' ').slice(1), '--help'], {})

    t.ok(parsed.kind === 'show' && parsed.text.includes('\nexamples:\n  ipfs-cluster-ctl '), line)
    t.ok(parsed.kind === 'show' && parsed.text.split('\n').every(line => line.length < 120), line)
  }
})
