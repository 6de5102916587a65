import { toGoBytes } from '../cluster/api/kubo/go-text.ts'
import { KuboCommandError } from './kubo-error.ts'

/** Kubo's limit (`MaxPinNameBytes`), which holds for filters too. */
const pinNameBytesMax = 255

/** @throws KuboCommandError */
export function checkPinName (name: string): void {
  const bytes = toGoBytes(name).length
  if (bytes > pinNameBytesMax) throw new KuboCommandError(`pin name is ${bytes} bytes (max ${pinNameBytesMax} bytes)`)
}
