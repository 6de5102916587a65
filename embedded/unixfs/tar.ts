/** Tar archives as Kubo's `get` sends them: each file as it is read, in ustar with PAX records where that is not enough. */
const blockBytes = 512
const end = Buffer.alloc(2 * blockBytes)
const typeFlags = { file: '0', symlink: '2', directory: '5' } as const

export interface TarEntry {
  readonly kind: keyof typeof typeFlags
  readonly name: string
  readonly mode: number
  readonly size: number
  readonly mtimeMs: number
  /** The time to the nanosecond, in a record of its own. */
  readonly isPrecise: boolean
  readonly target?: string
}

export function tarHeader (entry: TarEntry): Buffer {
  const records: string[] = []
  if (!fitsField(entry.name)) records.push(paxRecord('path', entry.name))
  if (!fitsField(entry.target ?? '')) records.push(paxRecord('linkpath', entry.target!))
  if (entry.isPrecise) records.push(paxRecord('mtime', `${Math.floor(entry.mtimeMs / 1000)}.${String(entry.mtimeMs % 1000).padStart(3, '0')}000001`))
  const plain = ustarHeader(entry.name, entry.mode, entry.size, entry.mtimeMs, typeFlags[entry.kind], entry.target ?? '')
  if (records.length === 0) return plain
  const content = Buffer.from(records.sort().join(''))
  const cut = entry.name.lastIndexOf('/') + 1
  return Buffer.concat([ustarHeader(`${entry.name.slice(0, cut)}PaxHeaders.0/${entry.name.slice(cut)}`, 0, content.length, 0, 'x', ''), content, tarPadding(content.length), plain])
}

export function tarPadding (size: number): Buffer {
  return Buffer.alloc((blockBytes - size % blockBytes) % blockBytes)
}

export function tarEnd (): Buffer { return end }

function fitsField (text: string): boolean {
  return Buffer.byteLength(text) <= 100 && /^[\x20-\x7e]*$/.test(text)
}

/** Its length counts itself. */
function paxRecord (key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest) + 1
  while (String(length).length + Buffer.byteLength(rest) !== length) length++
  return `${length}${rest}`
}

function ustarHeader (name: string, mode: number, size: number, mtimeMs: number, type: string, target: string): Buffer {
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, digits: number): void => { header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1') }
  header.write(name.slice(0, 100), 0, 'utf8')
  octal(mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(Math.floor(mtimeMs / 1000), 136, 11)
  header.fill(' ', 148, 156)
  header.write(type, 156, 'latin1')
  header.write(target.slice(0, 100), 157, 'utf8')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}
