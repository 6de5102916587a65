/** `node ipfs-compat-tests/fuzz/main.ts --seconds 300 --seed 1 [--from TRIAL] [--at-once CLIENTS]` */
import { parseArgs } from 'node:util'
import { fuzz } from './run.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1e6) }, from: { type: 'string', default: '0' }, 'at-once': { type: 'string', default: '4' } } })
const seed = Number(values.seed)
console.log(`seed ${seed}`)
const { trials, answered, findings, growthBytes } = await fuzz({ seed, seconds: Number(values.seconds), from: Number(values.from), atOnce: Number(values['at-once']), tell: line => console.log(line) })
for (const finding of findings) console.log(`\nFOUND with --seed ${seed}: ${finding}`)
console.log(`${trials} trials, ${answered} answered, ${findings.length} findings, ${(growthBytes / 2 ** 20).toFixed(1)} MiB more held`)
process.exit(findings.length > 0 ? 1 : 0)
