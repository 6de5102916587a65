import { KuboError } from '../rpc/kubo-error.ts'

/** What bitswap takes, here and in Kubo. */
export const blockBytesMax = 2 * 1024 * 1024

/** Larger blocks cannot be exchanged between peers. @throws KuboError */
export function checkBlockSize ({ length }: Uint8Array, allowBig: boolean): void {
  if (length <= blockBytesMax || allowBig) return
  throw new KuboError("produced block is over 2MiB: big blocks can't be exchanged with other peers. consider using UnixFS for automatic chunking of bigger files, or pass --allow-big-block to override")
}
