import type { Disk } from './raft/disk.ts'
import { replaceFile } from './raft/identity-file.ts'

const name = 'joining'

/**
 * Remembers over restarts that this folder's peer is about to join, and not yet taken in. Its log alone does not say: while it catches up, what it
 * has read so far does not name it as a member, just as when it was removed.
 */
export interface JoiningMark {
  isSet (): Promise<boolean>
  set (): Promise<void>
  clear (): Promise<void>
}

export function joiningMark (disk: Disk, folder: string): JoiningMark {
  return {
    isSet: async () => await disk.readFile(`${folder}/${name}`) !== undefined,
    set: async () => { await replaceFile(disk, folder, name, Buffer.from('this peer is joining a cluster\n')) },
    async clear () {
      await disk.remove(`${folder}/${name}`)
      await disk.syncFolder(folder)
    }
  }
}
