import { spawnSync } from 'node:child_process'
import { chown, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { cleanEnv, runService } from '../../ipfs-compat-tests/harness/process.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

const owner = 1000
/** Whether that user can be had here, and gets to the folder. */
const canBe = (path: string): boolean => spawnSync('ls', [path], { uid: owner, gid: owner, stdio: 'ignore' }).status === 0

t.test('what root writes into somebody\'s folder is theirs', async t => {
  await using folder = await temporaryFolder()
  if (process.getuid?.() !== 0) return t.pass('who is not root cannot do otherwise')
  const isGiven = await chown(folder.path, owner, owner).then(() => true, () => false)
  if (!isGiven || !canBe(folder.path)) return t.pass('there is nobody to be here')

  const { code } = await runService(['--config', folder.path, 'init'], cleanEnv())

  t.equal(code, 0)
  for (const name of ['service.json', 'identity.json']) t.match(await stat(join(folder.path, name)), { uid: owner, gid: owner }, name)
})
