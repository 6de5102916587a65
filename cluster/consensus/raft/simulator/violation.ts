export type Rule =
  | 'election-safety' | 'log-matching' | 'leader-completeness' | 'state-machine-safety' | 'committed-is-durable'
  | 'commit-own-term' | 'monotone-term' | 'monotone-commit' | 'one-vote-a-term' | 'durable-before-said'
  | 'applied-is-committed' | 'membership' | 'read-index' | 'exactly-once' | 'nothing-acknowledged-lost' | 'liveness' | 'bounds' | 'flow'

/** The engine did something that the specification does not allow. */
export class SpecViolation extends Error {
  readonly rule: Rule

  constructor (rule: Rule, what: string) {
    super(`${rule}: ${what}`)
    this.rule = rule
  }

  override get name (): string { return 'SpecViolation' }
}

export function require (allowed: boolean, rule: Rule, what: () => string): asserts allowed {
  if (!allowed) throw new SpecViolation(rule, what())
}
