/** A closed loop: so many clients, each asking again as soon as it has its answer. Counted after a warm-up. */

export interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
}

export interface Target {
  /** One request of client `number`, over one of a few connections. */
  readonly write: (number: number) => Promise<void>
  readonly read: (number: number) => Promise<void>
}

export async function closedLoop (ask: (number: number) => Promise<void>, { clients, warmUpMs, measureMs }: {
  readonly clients: number, readonly warmUpMs: number, readonly measureMs: number
}): Promise<Measured> {
  const latencies: number[] = []
  const countFrom = performance.now() + warmUpMs
  const until = countFrom + measureMs
  let errors = 0
  await Promise.all(Array.from({ length: clients }, async (_, number) => {
    for (let begun = performance.now(); begun < until; begun = performance.now()) {
      try { await ask(number) } catch { errors++ }
      const ended = performance.now()
      if (begun >= countFrom && ended <= until) latencies.push(ended - begun)
    }
  }))
  latencies.sort((a, b) => a - b)
  return {
    perSecond: latencies.length / measureMs * 1_000, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), errors
  }
}

export function quantile (ascending: readonly number[], q: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * q))] ?? NaN
}
