import type { PeerId } from './pin.ts'

/** Why a peer was chosen: it has it, was wished for, or stood high enough; or why not. */
export type AllocationWhy =
  | 'everywhere' | 'holder' | 'wished' | 'ranked'
  | 'not-needed' | 'surplus' | 'silent' | 'unmeasured' | 'full' | 'draining' | 'not-a-member'

/** What speaks for or against one peer as the holder of a pin. */
export interface AllocationReason {
  readonly peer: PeerId
  readonly isChosen: boolean
  readonly why: AllocationWhy
  /** The figures behind it, in words; may be empty. */
  readonly detail: string
}
