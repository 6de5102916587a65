import { createClients } from './clients.ts'
import { createFaults } from './faults.ts'
import { createWorld, passTick } from './world.ts'
import { drawSettings } from './settings.ts'
import { heal } from './healing.ts'
import { interfere } from './adversary.ts'
import { meddle } from './membership.ts'
import type { TraceEvents } from '../core/trace-event.ts'
import type { RunRequest, Settings } from './settings.ts'

export interface RunResult {
  readonly request: RunRequest
  readonly hash: string
  readonly events: number
  /** Ticks that passed, those of healing included. */
  readonly ticks: number
  readonly commits: number
  readonly elections: number
  readonly acknowledged: number
  readonly failure: { readonly rule: string, readonly message: string, readonly tick: number, readonly stack: string } | undefined
}

/**
 * One seed from beginning to end: so many ticks under fire, then the storm ends and the peers must agree again.
 * Nothing outside `request` and the code decides what happens. `events` is told what goes on inside, under fire.
 */
export function run (request: RunRequest, settings: Settings = drawSettings(request), events?: TraceEvents): RunResult {
  const world = createWorld(request, settings, events)
  const clients = createClients(world)
  const faults = createFaults(world)
  let ticks = 0
  const result = (failure: RunResult['failure']): RunResult => ({
    request,
    hash: world.trace.hash(),
    events: world.trace.events,
    ticks,
    commits: world.spec.commit,
    elections: world.spec.elections,
    acknowledged: clients.acknowledged,
    failure
  })
  try {
    for (; ticks < request.ticks; ticks++) {
      faults.strike()
      clients.ask()
      meddle(world)
      interfere(world)
      passTick(world)
    }
    heal(world, clients, () => { ticks++ })
    return result(undefined)
  } catch (err) {
    const { name, message, stack = '' } = err as Error & { rule?: string }
    const rule = (err as { rule?: string }).rule ?? name
    return result({ rule, message, tick: ticks, stack })
  }
}
