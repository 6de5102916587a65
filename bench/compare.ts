import { historyFile, readHistory, regressions } from './history.ts'
import { say } from './output.ts'

/** Holds the last run of everything against the runs before it on the same machine; exit code 1 when something is more than 15 % worse. */
export async function bench (): Promise<void> {
  const figures = await readHistory()
  const worse = regressions(figures)
  for (const { figure: { title, name, commit, sides }, usual, now } of worse) {
    say(`${title}, ${name}: ${now.toFixed(2)} of the other side at ${commit}, usually ${usual.toFixed(2)} (${sides})\n`)
  }
  say(worse.length === 0 ? `nothing is more than 15 % worse than usual, in ${figures.length} figures of ${historyFile}\n` : `${worse.length} figures are more than 15 % worse than usual\n`)
  if (worse.length > 0) process.exit(1)
}
