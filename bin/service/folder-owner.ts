import { stat } from 'node:fs/promises'

/**
 * Root that works on somebody's folder becomes that user, for good: what root writes there, the peer that runs as that user could not read. So it is with
 * `docker compose exec` and `sudo`. Where root may not become anybody, it stays what it is.
 */
export async function becomeOwner (folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const owner = await stat(folder).catch(() => undefined)
  if (owner === undefined || owner.uid === 0) return
  try {
    process.setgroups!([owner.gid])
    process.setgid!(owner.gid)
    process.setuid!(owner.uid)
  } catch (err) {
    if (!/^E(PERM|INVAL)$/.test((err as NodeJS.ErrnoException).code ?? '')) throw err
  }
}
