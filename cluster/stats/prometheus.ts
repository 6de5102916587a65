/** One number, as it is at this moment (gauge) or as a sum since the start (counter). */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  /** Undefined is not known just now, and is left out. */
  readonly value: number | undefined
}

/** Numbers in the text format of Prometheus, version 0.0.4. */
export function prometheusText (samples: readonly Sample[]): string {
  const known = samples.filter(({ value }) => value !== undefined)
  return known.map(({ name, help, type, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`).join('')
}
