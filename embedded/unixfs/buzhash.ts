/** Cuts where the content says so: a hash rolls over the last bytes by turning and mixing, and a cut is made where its low bits are all zero. */
import { ByteCursor } from '../../cluster/api/kubo/byte-cursor.ts'

const minBytes = 128 * 1024
const maxBytes = 512 * 1024
const windowBytes = 32
const mask = 2 ** 17 - 1
/** What each byte is mixed in as, a number of 32 bits: the ones that all of IPFS uses. */
const mixedIn = numbers([
  '1ec2YgubJxCCgYFyFGVS3D0e1C/I+H53hVLugzc2jywanAQvkZffVx8VB5IYSFSbWPbudGDKKCAa2XECfliuJ1/6+ezNcW4jLoo69IAzsQsskVee22yiiXE9z5/xpm2odvNJnMfsajTuqZTwy+mZ',
  '6sYTF7D7z4oI+6BgKWxiSjRGKvJ/pRp6bRZJcWrKVNRBMLglg2P1ZQvK7H9EXurQ+dTT2cF0xV7LAumqVefA7YYznjoN4cEN5zn2xeMKFEObxQpJxvswQF7VbZeO6mh0qG/vMPil1R7MeE4fYQUZ',
  '0d0EOWHyuWdsVsxcWpCkszd7iolTS53Sj2t1FdiqFOQbUefB+jx5oSmA2v4O1AIOOAf975vcgpAELTF4vJmoAlD/RnbOIZsEzQFPmUMPpcXGw1Bf2rvHXsEOthnbmrmAHgxoKbW5GSQWrgW0QiWd',
  'LqSRaPbga7mm1260dye8Vs5i4dWqZkIEt/1gpTL4Zsr2lZXtPOj+mY0iVSgOvxJZZIlm2q+JB6i6ggJDo2cjsJEUWbGk8S+2OQdBoFVwmymyDi5Sgvwk39MnM2kmeLBp4GIcATFQf66TBfVdJ+vZ',
  'eLYO4N7MF1kKZrmXLSAG3SKeIu2/Ncep5m8x1kwux2+i3wYCWlyx1kl72GlFd8kJYV1EE6p1qTW5qZqFEwA4ZZFj+9H9VZLCkTtKeCZM57lATc5jnr58wJ5S5OYvY7MPydk4lKiUL2gRRv347cF+',
  'JdbjXEexLe5gArD6KnhIniveQLOGyv2CFL+zQf6wEqTUjLmd4FNdr8Ff4lV+OGs0070sobe6J2ic7ov3cVIPOoywkQQVEult8k46PiO66wnT/+CpoCFZK8o8ibnuiJ6CMyrMcJjQucQjoy6j6yJN',
  'rL1MxMg7lwONHjV3MvmfADt4Qje4DnHcISYDfQHtoQp2XEuBaVp/BOOW3pw8qfWGXGGlKjK0TVMlQuMtLg1LzPzMVyqsCwRtoPA313i8ZvfR8jyVp/WF2t+81bcTUiij6LwYX4/TREIJ21MSV/7u',
  'p38xQ08yStk5/D+O+rNRn+5LeoLGu3hQA1yfbCj+Aoa2WiTX92vtipjECvoQ4D9p41/Gy0lXpDflhCtj85/emg9UIDSbjKqzdsRb10tXHa0AkZJN3iFHBRvfJ0aFsVhkZ+e3WE6Q36FXr5czxE29',
  '/W0lpvOYOfYzWODxJs8K4tbZf/VNCzCQkELfibwc0GjjPonPRqBCzBsYjnd2XCZnxKSB6aEdmYKUco9wYq7i5nAYRPy2sOGVJfhFBH+0k1q+9Jxe53HahLCClZ3vNfib4mEfWYVZMkMu4y1dD7+P',
  'jTgPs5VuW60H306TTg6Z1DxZ4lOQfYVBXA=='
].join(''))

export async function * buzhashChunks (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const cursor = new ByteCursor(source)
  let held = await cursor.read(maxBytes)
  while (held.length > 0) {
    const end = cutOf(held)
    yield held.subarray(0, end)
    const more = await cursor.read(maxBytes - held.length + end)
    held = Buffer.concat([held.subarray(end), more])
  }
}

function cutOf (bytes: Uint8Array): number {
  if (bytes.length < minBytes) return bytes.length
  let state = 0
  for (let i = minBytes - windowBytes; i < minBytes; i++) state = turned(state) ^ mixedIn[bytes[i]!]!
  let end = minBytes
  // with a window as wide as the state, what leaves has been turned once around
  for (; end < bytes.length && (state & mask) !== 0; end++) state = turned(state) ^ mixedIn[bytes[end - windowBytes]!]! ^ mixedIn[bytes[end]!]!
  return end
}

function turned (state: number): number {
  return (state << 1) | (state >>> 31)
}

function numbers (base64: string): Uint32Array {
  const bytes = Buffer.from(base64, 'base64')
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4))
}
