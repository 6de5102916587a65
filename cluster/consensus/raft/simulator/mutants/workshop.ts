import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { killerText, mutate, seedsMax } from './mutant.ts'
import type { Killer, Mutant } from './mutant.ts'

export interface Verdict {
  readonly mutant: Mutant
  /** What noticed; undefined if nothing did. */
  readonly killer: string | undefined
  /** What it said. */
  readonly reason: string
  readonly seconds: number
}

/** A copy of the sources to break things in; the working tree is never touched. */
export interface Workshop extends Disposable {
  judge: (mutant: Mutant) => Promise<Verdict>
  /** Without a mutant nothing may be noticed. @returns what was noticed all the same */
  checkHealthy: (killer: Killer) => Promise<string | undefined>
}

const raftFolder = 'cluster/consensus/raft'
/** A mutant that dies of its own spelling proves nothing. */
const isNonsense = /is not defined|SyntaxError|ERR_MODULE|Cannot find module/
/** So long a profile may look for a mutant; whatever goes on much longer hangs. */
const profileSecondsMax = 120
const killerSecondsMax = 2 * profileSecondsMax

export function openWorkshop (root: string): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'raft-mutants-'))
  cpSync(join(root, 'cluster'), join(folder, 'cluster'), { recursive: true })
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(root, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

  return {
    judge: async mutant => {
      const path = join(folder, raftFolder, mutant.file)
      const source = readFileSync(path, 'utf8')
      writeFileSync(path, mutate(source, mutant))
      const began = performance.now()
      const seconds = (): number => (performance.now() - began) / 1_000
      try {
        for (const killer of mutant.killers) {
          const reason = await noticed(folder, killer, seedsMax)
          if (reason !== undefined && isNonsense.test(reason)) throw new Error(`mutant ${mutant.id} does not even run: ${reason}`)
          if (reason !== undefined) return { mutant, killer: killerText(killer), reason, seconds: seconds() }
        }
        return { mutant, killer: undefined, reason: 'nothing noticed', seconds: seconds() }
      } finally {
        writeFileSync(path, source)
      }
    },
    checkHealthy: async killer => await noticed(folder, killer, 50),
    [Symbol.dispose]: () => { rmSync(folder, { recursive: true, force: true }) }
  }
}

/** @returns the first thing that went wrong, or undefined when all was well */
async function noticed (folder: string, killer: Killer, seeds: number): Promise<string | undefined> {
  const args = 'test' in killer ? [join(raftFolder, killer.test)] : simulatorArgs(killer, seeds)
  const { code, output } = await runNode(folder, args)
  if (code === 0) return undefined
  const lines = output.split('\n').map(line => line.trim())
  const telling = lines.findIndex(line => /^seed \d+ failed/.test(line))
  if (telling >= 0) return `seed ${lines[telling]?.split(' ')[1]}: ${lines[telling + 1]}`
  return lines.find(line => /^not ok|Error|SIGKILL/.test(line))?.replace(/^not ok \d* ?-? ?/, '') ?? `exit code ${code}`
}

function simulatorArgs ({ profile, voters = 3, learners = 0, ticks = 500 }: Exclude<Killer, { test: string }>, seeds: number): string[] {
  return [
    join(raftFolder, 'simulator/main.ts'), '--seeds', `1..${seeds}`, '--profile', profile, '--nodes', String(voters),
    '--learners', String(learners), '--ticks', String(ticks), '--workers', '1', '--quick', '--seconds', String(profileSecondsMax)
  ]
}

async function runNode (folder: string, args: readonly string[]): Promise<{ readonly code: number, readonly output: string }> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, TAP_TIMEOUT: String(killerSecondsMax) }, // a busy machine is no finding
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: killerSecondsMax * 1_000, // a mutant that runs for ever: to hang is to be noticed
    killSignal: 'SIGKILL'
  })
  let output = ''
  child.stdout.on('data', chunk => { output += String(chunk) })
  child.stderr.on('data', chunk => { output += String(chunk) })
  const [code, signal] = await once(child, 'close') as [number | null, string | null]
  return signal === null ? { code: code ?? 1, output } : { code: 137, output: `Error: no answer within ${killerSecondsMax} s\n${output}` }
}
