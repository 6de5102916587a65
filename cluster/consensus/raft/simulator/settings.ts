import { createRandom } from './random.ts'

export const profileNames = ['hostile', 'calm', 'membership', 'disk', 'model'] as const
export type ProfileName = typeof profileNames[number]

/** What a run is asked for; with the same code it decides every step. */
export interface RunRequest {
  readonly seed: number
  readonly voters: number
  readonly learners: number
  /** Ticks under fire. The healing that follows has its own bound. */
  readonly ticks: number
  readonly profile: ProfileName
}

/** Chances are per tick unless they say otherwise; durations are in ticks. */
export interface Settings {
  readonly electionTicks: number
  readonly preVote: boolean
  readonly checkQuorum: boolean
  /** One peer in a rolling upgrade may still have pre-vote the other way round. */
  readonly mixedPreVote: boolean
  readonly asyncStorage: boolean
  readonly stepDownOnRemoval: boolean
  readonly disableForwarding: boolean
  /** Bytes of entries in one append; 0 means one entry at a time. */
  readonly messageBytesMax: number
  readonly applyBytesMax: number
  readonly uncommittedBytesMax: number
  readonly inflightMessagesMax: number
  readonly inflightBytesMax: number

  /** Of each message. */
  readonly loss: number
  readonly duplication: number
  /** Most rounds a message is under way; different draws are what reorders. */
  readonly delayMost: number
  /** Share of messages held back for up to a hundred ticks. */
  readonly longDelay: number
  readonly partition: number
  readonly partitionTicksMost: number
  /** A follower's snapshot report to its leader may also be lost or wrong. */
  readonly adversary: number

  /** Of each peer. */
  readonly crash: number
  readonly crashAll: number
  readonly downTicksMost: number
  readonly pause: number
  /** How often what is ready is handled at once; else it waits and gathers. */
  readonly eagerness: number

  readonly syncRoundsMost: number
  readonly slowSync: number
  readonly slowSyncRoundsMost: number
  readonly syncFailure: number
  readonly diskFull: number
  /** Of each read of the log: it has to be fetched first. */
  readonly coldReads: number

  /** Applied entries between two snapshots, and how many entries before one are kept. */
  readonly snapshotEvery: number
  readonly trailing: number

  readonly proposals: number
  readonly payloadMost: number
  readonly reads: number
  readonly retries: number
  readonly membership: number
  readonly transfer: number
  readonly forgetLeader: number
  /** Nothing happens that the TLA+ model does not know: a crash loses nothing written, changes are single and fit. */
  readonly forModel: boolean
}

const calm = {
  loss: [0, 0, 0.005], duplication: [0, 0.01], delayMost: [0, 1, 2], longDelay: [0, 0.0005], partition: [0, 0.001],
  partitionTicksMost: [20], adversary: [0, 0.02],
  crash: [0, 0.0005], crashAll: [0], downTicksMost: [20], pause: [0, 0.001], eagerness: [1, 0.9],
  syncRoundsMost: [0, 1], slowSync: [0], slowSyncRoundsMost: [10], syncFailure: [0], diskFull: [0], coldReads: [0],
  snapshotEvery: [50, 500], trailing: [3, 50], proposals: [0.5, 1, 2], payloadMost: [8, 64], reads: [0.1, 0.3], retries: [0.02],
  membership: [0, 0.001], transfer: [0, 0.002], forgetLeader: [0],
  electionTicks: [6, 10], messageBytesMax: [200, 4096, 65_536], applyBytesMax: [200, 65_536], uncommittedBytesMax: [2_000, 1_000_000],
  inflightMessagesMax: [4, 64], inflightBytesMax: [0, 10_000]
} as const satisfies Choices

const hostile = {
  loss: [0, 0.02, 0.1, 0.25, 0.4], duplication: [0, 0.05, 0.2], delayMost: [0, 2, 6, 12], longDelay: [0, 0.005, 0.03],
  partition: [0, 0.01, 0.05, 0.15], partitionTicksMost: [8, 30, 80], adversary: [0, 0.1, 0.4],
  crash: [0, 0.003, 0.01, 0.03], crashAll: [0, 0, 0.002], downTicksMost: [2, 10, 40], pause: [0, 0.005], eagerness: [1, 0.6, 0.3],
  syncRoundsMost: [0, 1, 4], slowSync: [0, 0.02], slowSyncRoundsMost: [10, 60], syncFailure: [0, 0, 0.002], diskFull: [0, 0, 0.001], coldReads: [0, 0, 0.2],
  snapshotEvery: [5, 50, 500], trailing: [0, 3, 50], proposals: [0.05, 0.2, 0.5], payloadMost: [8, 40], reads: [0, 0.05, 0.2], retries: [0, 0.2],
  membership: [0, 0, 0.01], transfer: [0, 0.01], forgetLeader: [0, 0, 0.01],
  electionTicks: [3, 5, 10], messageBytesMax: [0, 30, 4096], applyBytesMax: [1, 60, 65_536], uncommittedBytesMax: [60, 1_000_000],
  inflightMessagesMax: [1, 2, 64], inflightBytesMax: [0, 40, 10_000]
} as const satisfies Choices

const membership = {
  ...hostile,
  loss: [0, 0.02, 0.1], partition: [0, 0.01, 0.05], crash: [0, 0.003, 0.01], delayMost: [0, 2, 6],
  membership: [0.03, 0.1, 0.2], transfer: [0, 0.01, 0.05], forgetLeader: [0, 0.01], snapshotEvery: [5, 20, 100]
} as const satisfies Choices

const disk = {
  ...hostile,
  loss: [0, 0.02], partition: [0, 0.01], delayMost: [0, 2],
  crash: [0.003, 0.01, 0.03], crashAll: [0, 0.003, 0.01], syncRoundsMost: [1, 4, 10], slowSync: [0, 0.02, 0.1],
  slowSyncRoundsMost: [20, 120], syncFailure: [0, 0.002, 0.01], diskFull: [0, 0.002, 0.01], eagerness: [1, 0.6],
  proposals: [0.2, 0.5, 1], snapshotEvery: [5, 10, 50], membership: [0, 0.01]
} as const satisfies Choices

/** What etcd's TLA+ model knows of: neither duplicates nor pre-votes, joint changes, snapshots of a log that was cut, transfers and reads. */
const model = {
  ...calm,
  loss: [0, 0.02, 0.1], duplication: [0], delayMost: [0, 2, 4], longDelay: [0], partition: [0, 0.01, 0.05], adversary: [0],
  crash: [0.01, 0.02], downTicksMost: [4, 10], pause: [0], eagerness: [1], syncRoundsMost: [0],
  snapshotEvery: [1_000_000], proposals: [0.1, 0.3], payloadMost: [8], reads: [0], retries: [0], membership: [0.03, 0.08], transfer: [0],
  electionTicks: [5, 10], messageBytesMax: [65_536], applyBytesMax: [65_536], uncommittedBytesMax: [1_000_000], inflightMessagesMax: [64], inflightBytesMax: [0]
} as const satisfies Choices

const profiles: Record<ProfileName, Choices> = { hostile, calm, membership, disk, model }

type Switches = 'forModel' | 'preVote' | 'checkQuorum' | 'mixedPreVote' | 'asyncStorage' | 'stepDownOnRemoval' | 'disableForwarding'
type Choices = { readonly [name in Exclude<keyof Settings, Switches>]: readonly number[] }

/**
 * Swarm testing: every seed draws its own weather *and* its own limits, because a run with everything
 * switched on hides the bugs that need one thing switched off (raft.md §3.6, lessons 1 and 2).
 */
export function drawSettings ({ seed, profile }: RunRequest): Settings {
  const random = createRandom(seed, 1)
  const drawn: Record<string, number> = {}
  for (const [name, choices] of Object.entries(profiles[profile])) drawn[name] = random.pick(choices)

  const settings = {
    preVote: random.chance(0.6),
    checkQuorum: random.chance(0.7),
    mixedPreVote: random.chance(0.05),
    asyncStorage: random.chance(0.5),
    stepDownOnRemoval: random.chance(0.7),
    disableForwarding: random.chance(0.2),
    forModel: profile === 'model',
    ...drawn
  } as unknown as Settings // every name of Choices was drawn: the table is complete by its type
  if (profile === 'model') return forModel(settings, seed)
  return profile === 'calm' ? { ...settings, preVote: true, checkQuorum: true } : settings
}

/** In the model a restart has the membership of the last Ready; here that of the state machine, which may be behind. So never both. */
function forModel (settings: Settings, seed: number): Settings {
  const off = { preVote: false, checkQuorum: false, mixedPreVote: false, asyncStorage: false }
  return { ...settings, ...off, ...(seed % 2 === 0 ? { membership: 0 } : { crash: 0 }) }
}
