/** Permissions as Go's `os.FileMode` has them: special bits lie elsewhere than in Unix, and the kind of file is among them. */
import type { UnixfsData } from './data.ts'

const kinds = { directory: 2 ** 31, shard: 2 ** 31, symlink: 2 ** 27, file: 0, raw: 0, metadata: 0 } as const
const special = [[0o4000, 2 ** 23], [0o2000, 2 ** 22], [0o1000, 2 ** 20]] as const
const letters = 'dalTLDpSugct?'

/** 0 for a node that keeps no permissions. */
export function goMode ({ type, mode = 0 }: Pick<UnixfsData, 'type' | 'mode'>): number {
  const permissions = mode & 0xfff
  if (permissions === 0) return 0
  return special.reduce((sum, [unix, go]) => sum + ((permissions & unix) === 0 ? 0 : go), (permissions & 0o777) + kinds[type])
}

/** The permissions that UnixFS keeps of a Go mode. */
export function unixPermissions (goMode: number): number {
  return special.reduce((sum, [unix, go]) => sum | ((goMode & go) === 0 ? 0 : unix), goMode & 0o777)
}

/** `drwxr-xr-x`. */
export function goModeText (mode: number): string {
  const marks = [...letters].filter((_, i) => (mode & (1 << (31 - i))) !== 0).join('')
  const permissions = [...'rwxrwxrwx'].map((letter, i) => (mode & (1 << (8 - i))) === 0 ? '-' : letter).join('')
  return `${marks === '' ? '-' : marks}${permissions}`
}
