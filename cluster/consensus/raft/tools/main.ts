/**
 * Tools for a raft folder (of a peer that does not run) and for a running engine process:
 *
 *     node cluster/consensus/raft/tools/main.ts inspect FOLDER [--from INDEX] [--limit 20]
 *     node cluster/consensus/raft/tools/main.ts verify  FOLDER
 *     node cluster/consensus/raft/tools/main.ts recover FOLDER --unsafe-new-cluster
 *     node cluster/consensus/raft/tools/main.ts status  HOST:PORT
 *     node cluster/consensus/raft/tools/main.ts replay  RECORD
 *
 * They print JSON. `verify` ends with 1 when something is wrong; so does `replay` when the record does not repeat itself.
 */
import { parseArgs } from 'node:util'
import { realDisk } from '../disk.ts'
import { replayRecord } from '../mailbox-record.ts'
import { monotonicClock } from '../monotonic-clock.ts'
import { openClient } from '../processes/client.ts'
import { inspect, verify } from './inspect.ts'
import { recover, recoveryWarning } from './recover.ts'

const { values, positionals: [verb, target] } = parseArgs({
  allowPositionals: true,
  options: { from: { type: 'string' }, limit: { type: 'string', default: '20' }, 'unsafe-new-cluster': { type: 'boolean', default: false } }
})
const print = (value: unknown): void => { console.log(JSON.stringify(value, undefined, 2)) }

try {
  await run()
} catch (err) {
  console.error((err as Error).message)
  process.exitCode = 1
}

async function run (): Promise<void> {
  if (target === undefined) throw new Error('inspect, verify or recover FOLDER; status HOST:PORT; replay RECORD')
  switch (verb) {
    case 'inspect': print(await inspect(realDisk, target, { ...values.from !== undefined && { from: Number(values.from) }, limit: Number(values.limit) })); return
    case 'verify': {
      const found = await verify(realDisk, target)
      print(found)
      if (!found.sound) process.exitCode = 1
      return
    }
    case 'recover':
      if (!values['unsafe-new-cluster']) throw new Error(`${recoveryWarning}\n\nIf you are sure, add --unsafe-new-cluster`)
      print(await recover(realDisk, monotonicClock, target))
      return
    case 'status': {
      using client = openClient(target)
      print(await client.order({ do: 'status' }))
      return
    }
    case 'replay': {
      const outcome = await replayRecord(target)
      print(outcome)
      if (!outcome.repeats) process.exitCode = 1
      return
    }
    default: throw new Error(`unknown: ${verb}`)
  }
}
