import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A key that everybody knows, and its certificate for 127.0.0.1: good for tests and for nothing else. */
export async function selfSigned (): Promise<{ readonly cert: string, readonly key: string }> {
  const fixture = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'fixtures', name), 'utf8')
  return { cert: await fixture('localhost-test-only.crt'), key: await fixture('localhost-test-only.key') }
}
