import t from 'tap'
import { createProgress } from './progress.ts'
import { sizeText } from './humanized.ts'

function setUp (isTTY: boolean, isWanted = true) {
  const state = { written: '', nowMs: 0 }
  const progress = createProgress({ isTTY, columns: 60, write (text) { state.written += text } }, isWanted, () => state.nowMs)
  return { state, progress }
}

t.test('a terminal is shown a bar that stays on one line and goes when it is done', async t => {
  const { state, progress } = setUp(true)

  progress.bar(0, 4_000_000, sizeText)
  state.nowMs += 100
  progress.bar(1_000_000, 4_000_000, sizeText)
  progress.clear()

  t.equal(state.written, `\r\u001b[K0 B of 4.0 MB [${' '.repeat(30)}] 0%\r\u001b[K1.0 MB of 4.0 MB [${'='.repeat(7)}${' '.repeat(23)}] 25%\r\u001b[K`)
})

t.test('it is not shown more than ten times a second, nor wider than the terminal', async t => {
  const { state, progress } = setUp(true)

  progress.show('x'.repeat(100))
  progress.show('too soon')

  t.equal(state.written, `\r\u001b[K${'x'.repeat(59)}`)
})

t.test('what holds nothing is done at once', async t => {
  const { state, progress } = setUp(true)

  progress.bar(0, 0, sizeText)

  t.match(state.written, /100%/)
})

for (const [isTTY, isWanted] of [[false, true], [true, false]] as const) {
  t.test(`nothing is written where ${isTTY ? 'it is not wanted' : 'there is no terminal'}`, async t => {
    const { state, progress } = setUp(isTTY, isWanted)

    progress.show('a')
    progress.bar(1, 2, String)
    progress.clear()

    t.strictSame([state.written, progress.isSeen], ['', false])
  })
}
