import { assert } from './assert.ts'
import type { Index } from './types.ts'

/**
 * The appends on their way to one peer, oldest first: the last index of each and its bytes. A ring that grows as it
 * is used, up to `messagesMax`, so that hundreds of idle learners cost nothing.
 */
export class Inflights {
  readonly #messagesMax: number
  readonly #bytesMax: number
  #indexes: Index[] = []
  #sizes: number[] = []
  #start = 0
  #count = 0
  #bytes = 0

  /** `bytesMax` is soft: the message that crosses it is let through, the next one is not. */
  constructor (messagesMax: number, bytesMax: number) {
    assert(messagesMax > 0, 'at least one message may be on its way', messagesMax)
    assert(bytesMax > 0, 'at least one byte may be on its way', bytesMax)
    this.#messagesMax = messagesMax
    this.#bytesMax = bytesMax
  }

  get count (): number { return this.#count }
  get bytes (): number { return this.#bytes }
  get full (): boolean { return this.#count >= this.#messagesMax || this.#bytes >= this.#bytesMax }

  add (index: Index, bytes: number): void {
    assert(!this.full, 'no more messages than the window holds', this.#count, this.#bytes)
    assert(this.#count === 0 || this.#indexes[this.#slot(this.#count - 1)]! <= index, 'appends leave in order', index)
    if (this.#count === this.#indexes.length) this.#grow()
    const slot = this.#slot(this.#count)
    this.#indexes[slot] = index
    this.#sizes[slot] = bytes
    this.#count++
    this.#bytes += bytes
  }

  /** Whoever holds `index` holds all before it. */
  freeUpTo (index: Index): void {
    while (this.#count > 0 && this.#indexes[this.#start]! <= index) {
      this.#bytes -= this.#sizes[this.#start]!
      this.#start = this.#slot(1)
      this.#count--
    }
    assert(this.#bytes >= 0 && (this.#count > 0 || this.#bytes === 0), 'bytes follow messages', this.#bytes)
    if (this.#count === 0) this.#start = 0
  }

  reset (): void {
    this.#start = 0
    this.#count = 0
    this.#bytes = 0
  }

  #slot (offset: number): number {
    const slot = this.#start + offset
    return slot >= this.#indexes.length ? slot - this.#indexes.length : slot
  }

  #grow (): void {
    const inOrder = (values: readonly number[]): number[] => [...values.slice(this.#start), ...values.slice(0, this.#start)]
    const room = Math.min(Math.max(4, this.#indexes.length * 2), this.#messagesMax) - this.#indexes.length
    this.#indexes = [...inOrder(this.#indexes), ...Array<number>(room).fill(0)]
    this.#sizes = [...inOrder(this.#sizes), ...Array<number>(room).fill(0)]
    this.#start = 0
  }
}
