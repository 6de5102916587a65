import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { FakeClock, systemClock } from '../clock.ts'
import { lockFolder } from './folder-lock.ts'

t.test('a folder that is held is refused, naming the process', async t => {
  const folder = t.testdir()
  await using _held = await lockFolder(folder, new FakeClock())

  await t.rejects(lockFolder(folder, new FakeClock()), { code: 'ERR_STORAGE', message: new RegExp(`in use by process ${process.pid}: one peer per folder`) })
})

t.test('a folder given free can be held again, and no file is left', async t => {
  const folder = t.testdir()

  for (let round = 0; round < 2; round++) await (await lockFolder(folder, new FakeClock()))[Symbol.asyncDispose]()

  t.strictSame(await readdir(folder), [])
})

t.test('the lock of a process that is gone is taken over at once', async t => {
  const folder = t.testdir()
  const script = `import { lockFolder } from ${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)}
    await lockFolder(${JSON.stringify(folder)}, systemClock); console.log('held')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await t.rejects(lockFolder(folder, new FakeClock()), { message: new RegExp(`process ${child.pid}:`) })
  child.kill('SIGKILL')
  await once(child, 'exit')

  await using _held = await lockFolder(folder, new FakeClock())

  t.equal(JSON.parse(await readFile(join(folder, 'cluster.lock'), 'utf8')).pid, process.pid)
})

t.test('a process that has the id of one that is gone does not hold its lock', { skip: process.platform !== 'linux' && 'needs /proc' }, async t => {
  const folder = t.testdir()
  await using _first = await lockFolder(folder, new FakeClock())
  const path = join(folder, 'cluster.lock')
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), started: '1' }))

  await using _second = await lockFolder(folder, new FakeClock())

  t.not(JSON.parse(await readFile(path, 'utf8')).started, '1')
})

t.test('a holder in another container is believed while it touches its file, and not after', async t => {
  const folder = t.testdir()
  const path = join(folder, 'cluster.lock')
  const elsewhere = JSON.stringify({ pid: 1, started: '1', world: 'another' })
  const silent = new FakeClock()
  const touched = await lockFolder(folder, systemClock)
  await writeFile(path, elsewhere)

  await t.rejects(lockFolder(folder, systemClock), { message: /process 1:/ })
  await touched[Symbol.asyncDispose]()

  await writeFile(path, elsewhere)
  const taken = lockFolder(folder, silent)
  const passing = setInterval(() => silent.advance(1_000), 1)
  await using _held = await taken
  clearInterval(passing)
  t.equal(JSON.parse(await readFile(path, 'utf8')).pid, process.pid)
})
