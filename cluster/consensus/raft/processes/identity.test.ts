/** Folders that are wiped, copied, put back or used twice: none may speak in the name of the peer that was. */
import { cp, rm } from 'node:fs/promises'
import t from 'tap'
import { ProcessGroup, within } from './group.ts'
import { encodeWrite } from './register-machine.ts'

t.setTimeout(1_800_000)
const args = ['--tick-ms', '15', '--request-ms', '1000']
/** So long a machine with much else to do may take; nothing here waits that long elsewhere. */
const patienceMs = 120_000

async function write (group: ProcessGroup, id: number): Promise<string> {
  const { kind } = await within(patienceMs, group.peer(id).control.ask({ kind: 'write', id: undefined, data: encodeWrite('k', { kind: 'add', value: 1 }) }))
  return kind
}

/** Whoever is asked may find no leader within its second. */
async function written (group: ProcessGroup, id: number): Promise<string> {
  for (const deadline = performance.now() + patienceMs; ;) {
    const kind = await write(group, id)
    if (kind === 'value' || performance.now() > deadline) return kind
  }
}

async function refusal (group: ProcessGroup, at: number, of: number): Promise<string> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
    const { connections } = await group.peer(at).control.order({ do: 'status' })
    const refused = connections.find(({ id }: { id: number }) => id === of)?.refused
    if (refused !== undefined) return refused
    await new Promise(resolve => { setTimeout(resolve, 20) })
  }
  return 'not refused'
}

t.test('a peer whose folder was wiped neither votes nor acknowledges as the one it was', async t => {
  await using group = await ProcessGroup.of(t.testdir(), 3, args)
  t.equal(await written(group, 1), 'value')
  await group.kill(3)
  await rm(group.peer(3).folder, { recursive: true })
  await group.kill(2)
  await group.start(3)

  t.match(await refusal(group, 1, 3), /wants somebody else/)
  t.equal(await write(group, 1), 'error', 'one of three is no majority')

  await group.start(2)
  await group.leader()
  t.equal(await written(group, 2), 'value')
})

t.test('a folder that was put back from a copy is not listened to', async t => {
  const folder = t.testdir()
  await using group = await ProcessGroup.of(folder, 3, args)
  await group.kill(3)
  await cp(group.peer(3).folder, `${folder}/copy`, { recursive: true })
  await group.start(3)
  for (let i = 0; i < 20; i++) t.equal(await written(group, 1), 'value')
  await group.agreed()
  await group.kill(3)
  await rm(group.peer(3).folder, { recursive: true })
  await cp(`${folder}/copy`, group.peer(3).folder, { recursive: true })
  await group.start(3)

  t.match(await refusal(group, 3, 1), /copies of one folder|older copy|no longer has/)
})

t.test('a second process on one folder does not start', async t => {
  await using group = await ProcessGroup.of(t.testdir(), 1, args)
  const first = group.peer(1)
  const running = first.process
  first.mayEnd = true

  await t.rejects(group.start(1), /did not start/)

  first.process = running
  t.equal(await written(group, 1), 'value')
})

t.test('two clusters that meet at one address keep apart', async t => {
  const folder = t.testdir()
  await using ours = await ProcessGroup.of(`${folder}/ours`, 1, args)
  await using theirs = new ProcessGroup(`${folder}/theirs`, args)
  await theirs.create(7)
  await theirs.start(7, ['--found', 'another'])

  const member = await theirs.member(7)
  await ours.peer(1).control.order({ do: 'add', member, asLearner: true })

  t.match(await refusal(ours, 1, 7), /another cluster/)
})
