/** The little of SVG that the plots are drawn with. The same figures give the same bytes. */

export const ink = '#24292f'
export const faint = '#d0d7de'
export const good = '#2da44e'
export const bad = '#cf222e'
export const palette = ['#0969da', '#bf8700', '#8250df', '#1a7f37', '#cf222e'] as const

export interface Point { readonly x: number, readonly y: number }

/** On white, so that it can be read on a dark page too. */
export function svg (width: number, height: number, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="${ink}">`
  return [head, `<rect width="${width}" height="${height}" fill="#ffffff"/>`, ...parts, '</svg>', ''].join('\n')
}

export function rect ({ x, y }: Point, width: number, height: number, fill: string): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${fill}"/>`
}

export function line (from: Point, to: Point, stroke: string, width = 1): string {
  return `<line x1="${at(from.x)}" y1="${at(from.y)}" x2="${at(to.x)}" y2="${at(to.y)}" stroke="${stroke}" stroke-width="${width}"/>`
}

export function polyline (points: readonly Point[], stroke: string): string {
  return `<polyline points="${points.map(({ x, y }) => `${at(x)},${at(y)}`).join(' ')}" fill="none" stroke="${stroke}" stroke-width="2"/>`
}

export function dot ({ x, y }: Point, fill: string): string {
  return `<circle cx="${at(x)}" cy="${at(y)}" r="3" fill="${fill}"/>`
}

export interface TextStyle { readonly anchor?: 'start' | 'middle' | 'end', readonly fill?: string, readonly weight?: 'bold' }

export function text ({ x, y }: Point, content: string, { anchor = 'start', fill = ink, weight }: TextStyle = {}): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${fill}"${weight === undefined ? '' : ` font-weight="${weight}"`}>${escaped(content)}</text>`
}

/** A tenth of a pixel is enough. */
const at = (value: number): string => String(Math.round(value * 10) / 10)
const escaped = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
