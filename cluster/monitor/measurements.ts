import { ClusterError } from '../api/errors.ts'
import { pingFromText, pingName, pingToText } from '../api/metric.ts'
import type { Measurement } from '../api/metric.ts'

/** What one peer may say of itself: another peer's memory is not its to fill. */
export const namesPerPeerMax = 64
const nameCharactersMax = 256
const valueCharactersMax = 8 << 10
const ttlMsMax = 24 * 3_600_000

/** @throws ClusterError ERR_INVALID_ARGUMENT that names what is out of bounds */
export function refuseOutOfBounds (measurements: readonly Measurement[]): void {
  if (measurements.length > namesPerPeerMax) refuse(`${measurements.length} metrics at once: expected at most ${namesPerPeerMax}`)
  for (const { name, value, weight, ttlMs } of measurements) {
    if (name.length === 0 || name.length > nameCharactersMax) refuse(`a metric's name of ${name.length} characters: expected 1 to ${nameCharactersMax}`)
    if (value.length > valueCharactersMax) refuse(`${name}: a value of ${value.length} characters: expected at most ${valueCharactersMax}`)
    if (!Number.isSafeInteger(weight)) refuse(`${name}: a weight of ${weight}: expected a safe integer`)
    if (!(ttlMs > 0 && ttlMs <= ttlMsMax)) refuse(`${name}: good for ${ttlMs} ms: expected more than 0, at most ${ttlMsMax}`)
  }
}

/**
 * A dead peer's copies count while its last ping holds, so no ping holds for long, whatever its sender says; what its clock says at another time than
 * that is left out.
 */
export function withinReason (measurement: Measurement, longestPingMs: number): Measurement {
  const { name, value, ttlMs } = measurement
  if (name !== pingName || ttlMs <= longestPingMs) return measurement
  return { ...measurement, ttlMs: longestPingMs, value: pingToText({ ...pingFromText(value), clockAtEndMs: undefined }) }
}

function refuse (message: string): never {
  throw new ClusterError('ERR_INVALID_ARGUMENT', message)
}
