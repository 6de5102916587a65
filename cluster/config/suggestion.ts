/** The word of `known` that was probably meant, for messages: ` (did you mean restapi?)`, or nothing. */
export function didYouMean (written: string, known: Iterable<string>): string {
  const nearest = [...known].map(word => ({ word, distance: editDistance(written, word) })).sort((a, b) => a.distance - b.distance)[0]
  return nearest !== undefined && nearest.distance <= Math.max(1, Math.floor(written.length / 3)) ? ` (did you mean ${nearest.word}?)` : ''
}

/** Letters put in, left out, changed or swapped with their neighbour (Damerau's), one row at a time. */
function editDistance (a: string, b: string): number {
  let [before, above]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (isSame ? 0 : 1), isSwapped ? before[j - 2]! + 1 : Infinity)
    }
    [before, above] = [above, row]
  }
  return above[b.length]!
}
