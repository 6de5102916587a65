/** How `ls` looks as text: columns as wide as what is in them. */
import { goModeText } from '../unixfs/go-mode.ts'

/** A link as `ls` answers it. */
export interface ListedLink {
  readonly Name: string
  readonly Hash: string
  readonly Size: number
  /** 1 for a directory. */
  readonly Type: number
  readonly Target: string
  readonly Mode: number
  readonly ModTime: string
}

export interface ListTextWay { readonly headers: boolean, readonly size: boolean, readonly long: boolean, readonly isSeveral: boolean, readonly nowMs: number }

/** Columns of a stream cannot wait for what is to come. */
const streamedWidth = 10
const recentMs = 182 * 24 * 3600 * 1000
const dayMs = 24 * 3600 * 1000
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function listText (objects: readonly { readonly hash: string, readonly links: readonly ListedLink[] }[], way: ListTextWay): string {
  const head = [...way.long ? ['Mode'] : [], 'Hash', ...way.size ? ['Size'] : [], ...way.long ? ['ModTime'] : [], 'Name']
  const blocks = objects.map(({ hash, links }) => {
    const rows = [...way.headers ? [head] : [], ...links.map(link => cellsOf(link, way))]
    return `${way.isSeveral ? `${hash}:\n` : ''}${table(rows, 0)}`
  })
  return blocks.join('\n')
}

export function linkText (link: ListedLink, way: ListTextWay): string {
  return table([cellsOf(link, way)], streamedWidth)
}

function cellsOf ({ Name, Hash, Size, Type, Mode, ModTime }: ListedLink, { size, long, nowMs }: ListTextWay): readonly string[] {
  const isFolder = Type === 1
  return [
    ...long ? [Mode === 0 ? '-' : modeText(Mode)] : [], Hash,
    ...size ? [isFolder ? '-' : String(Size)] : [],
    ...long ? [timeText(ModTime, nowMs)] : [], `${Name}${isFolder ? '/' : ''}`
  ]
}

/** As Unix lists permissions: one letter for the kind, and special bits within the others. */
function modeText (mode: number): string {
  const letters = [...goModeText(mode).slice(-9)]
  const marks = goModeText(mode).slice(0, -9)
  for (const [mark, at, letter] of [['u', 2, 's'], ['g', 5, 's'], ['t', 8, 't']] as const) {
    if (marks.includes(mark)) letters[at] = letters[at] === '-' ? letter.toUpperCase() : letter
  }
  return `${marks.includes('d') ? 'd' : marks.includes('L') ? 'l' : '-'}${letters.join('')}`
}

function timeText (time: string, nowMs: number): string {
  if (time.startsWith('0001-')) return '-'
  const date = new Date(time)
  const day = `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2, '0')}`
  const isRecent = date.getTime() > nowMs - recentMs && date.getTime() < nowMs + dayMs
  return isRecent ? `${day} ${time.slice(11, 16)}` : `${day}  ${date.getUTCFullYear()}`
}

function table (rows: readonly (readonly string[])[], widthMin: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(widthMin, ...rows.map(row => row[column]!.length + 1)))
  return rows.map(row => `${row.map((cell, column) => column === row.length - 1 ? cell : cell.padEnd(widths[column]!)).join('')}\n`).join('')
}
