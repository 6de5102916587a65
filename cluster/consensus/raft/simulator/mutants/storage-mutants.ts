import type { Killer, Mutant } from './mutant.ts'

const log: Killer = { test: 'log-storage.test.ts' }
const sessions: Killer = { test: 'sessions.test.ts' }
const clients: Killer = { test: 'scenarios/clients.test.ts' }
const applied: Killer = { test: 'scenarios/applied-index.test.ts' }
const handshake: Killer = { test: 'handshake.test.ts' }
const snapshotFiles: Killer = { test: 'snapshot-files.test.ts' }

/** The log on disk, what is kept with the state, sessions, identity. */
export const storageMutants: readonly Mutant[] = [
  {
    id: 'M10c',
    what: 'a write is answered without waiting for its sync',
    file: 'log-storage.ts',
    find: 'await this.#file.sync()\n    this.#figures',
    replace: 'this.#figures',
    killers: [log]
  },
  {
    id: 'M12c',
    what: 'after a failed sync the next one is believed',
    file: 'log-storage.ts',
    find: 'if (this.#failed !== undefined) return Promise.reject(this.#failed)',
    replace: 'this.#failed = undefined',
    killers: [log]
  },
  {
    id: 'M13c',
    what: 'a log that ends before what is known to be committed is started from',
    file: 'log-replay.ts',
    find: 'if (this.#hard.commit > tail.lastIndex) throw',
    replace: 'if (this.#hard.commit < 0) throw',
    killers: [log]
  },
  {
    id: 'M13d',
    what: 'a term older than the log is started from',
    file: 'log-replay.ts',
    find: "if (typeof lastTerm === 'number' && this.#hard.term < lastTerm) throw",
    replace: "if (typeof lastTerm === 'number' && lastTerm < 0) throw",
    killers: [log]
  },
  {
    id: 'M31',
    what: 'the applied index that is kept with the state is that of the entry before',
    file: 'applier.ts',
    find: 'return { head: () => encodeBookkeeping(this.#at), sessions',
    replace: 'return { head: () => encodeBookkeeping({ ...this.#at, index: Math.max(0, this.#at.index - 1) }), sessions',
    killers: [applied]
  },
  {
    id: 'M32',
    what: 'snapshots come without the sessions',
    file: 'applier.ts',
    find: 'kept (): Loaded { return { head: encodeBookkeeping(this.#at), sessions: this.sessions.rows() } }',
    replace: 'kept (): Loaded { return { head: encodeBookkeeping(this.#at), sessions: [] } }',
    killers: [clients]
  },
  {
    id: 'M33',
    what: 'a retried request is applied again',
    file: 'sessions.ts',
    find: "if (session.answers.has(sequence)) return 'answered'",
    replace: "if (session.answers.size > answersPerSessionMax) return 'answered'",
    killers: [sessions]
  },
  {
    id: 'M33b',
    what: 'a request whose answer was forgotten is applied again',
    file: 'sessions.ts',
    find: "if (sequence < session.floor) return 'expired'",
    replace: "if (sequence < 0) return 'expired'",
    killers: [sessions]
  },
  {
    id: 'M34',
    what: 'a folder that was wiped speaks for the member it was',
    file: 'handshake.ts',
    find: 'if (member !== undefined && member.incarnation !== from.incarnation) return',
    replace: 'if (member !== undefined && member.incarnation < 0) return',
    killers: [handshake]
  },
  {
    id: 'M34b',
    what: 'a folder that was restored from an older copy is believed',
    file: 'handshake.ts',
    find: 'if (hello.boot < before.boot || hello.term < before.term) return',
    replace: 'if (hello.boot < 0) return',
    killers: [handshake]
  },
  {
    id: 'M34c',
    what: 'peers of another cluster are listened to',
    file: 'handshake.ts',
    find: 'if (identity.clusterId !== undefined && hello.clusterId !== identity.clusterId) return',
    replace: 'if (identity.clusterId !== undefined && hello.clusterId === undefined) return',
    killers: [handshake]
  },
  {
    id: 'M34d',
    what: 'a log that lost what it acknowledged is believed',
    file: 'handshake.ts',
    find: 'if (hello.lastIndex < acknowledged(from.id)) return',
    replace: 'if (hello.lastIndex < 0) return',
    killers: [handshake]
  },
  {
    id: 'M39',
    what: 'damage in the middle of the log is taken for a torn tail',
    file: 'log-record.ts',
    find: 'if (end < syncedTo || vouchedFor(bytes, segment, end)) return',
    replace: 'if (end < 0) return',
    killers: [log]
  },
  {
    id: 'M39b',
    what: 'checksums are not looked at',
    file: 'log-record.ts',
    find: 'if (kind === undefined || view.getUint32(8, true) !== checksum(bytes, at, length, position)) return undefined',
    replace: 'if (kind === undefined) return undefined',
    killers: [log]
  },
  {
    id: 'M40',
    what: 'a new log file gets its name without a sync of the folder',
    file: 'log-file.ts',
    find: 'await disk.rename(temporary, path)\n  await disk.syncFolder(folder)',
    replace: 'await disk.rename(temporary, path)',
    killers: [log]
  },
  {
    id: 'M40b',
    what: 'the identity is replaced without a sync of the folder',
    file: 'identity-file.ts',
    find: 'await disk.rename(temporary, `${folder}/${name}`)\n  await disk.syncFolder(folder)',
    replace: 'await disk.rename(temporary, `${folder}/${name}`)',
    killers: [log]
  },
  {
    id: 'M40c',
    what: 'the remains of a torn group stay in the file',
    file: 'log-file.ts',
    find: "if (end.tail === 'torn') await erase(file, end.at)",
    replace: "if (end.tail !== 'torn') await erase(file, end.at)",
    killers: [log]
  },
  {
    id: 'M40d',
    what: 'a small file gets its name before its bytes are durable',
    file: 'identity-file.ts',
    find: 'await file.write(bytes, 0)\n    await file.sync()',
    replace: 'await file.write(bytes, 0)',
    killers: [snapshotFiles, log]
  },
  {
    id: 'M40e',
    what: 'a snapshot that arrived is not compared with what was announced',
    file: 'snapshot-files.ts',
    find: 'if (await sha256Of(disk, path) !== manifest.sha256) {',
    replace: 'if (manifest.sha256.length === 0) {',
    killers: [snapshotFiles]
  }
]
