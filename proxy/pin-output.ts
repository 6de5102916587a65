import { escapeXml } from './encodings.ts'

/** Go's XML of a struct whose only list is `Pins`; `rest` are the fields behind it. */
export function pinsXml (struct: string, pins: readonly string[], rest = ''): string {
  return `<${struct}>${pins.map(pin => `<Pins>${escapeXml(pin)}</Pins>`).join('')}${rest}</${struct}>`
}
