import type { AppliedOps } from '../../cluster/ports.ts'

/** For a log whose changes nobody carries out. */
export const muteListener: AppliedOps = Object.freeze({ pinned () {}, unpinned () {}, replaced () {} })
