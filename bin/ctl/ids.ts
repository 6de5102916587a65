import { didYouMean } from '../../cluster/config/suggestion.ts'
import { UsageError } from '../args.ts'

// What reads ids is loaded with the first that is to be read: most commands have none.

/** A CID as the API wants it. @throws UsageError when it is none */
export async function cidOf (text: string): Promise<string> {
  const { readCid } = await import('../../cluster/api/cid-text.ts')
  try {
    return readCid(text.replace(/^\/ipfs\//, '')).toString()
  } catch (err) {
    throw new UsageError(`parsing cid: ${JSON.stringify(text)} is none: ${(err as Error).message.replaceAll('\n', ' ')}`)
  }
}

/** @throws UsageError when one of them is no peer id */
export async function peerIdsOf (texts: readonly string[]): Promise<readonly string[]> {
  const { parsePeerId } = await import('../../cluster/api/peer-id.ts')
  return texts.map(text => {
    try {
      return parsePeerId(text.trim())
    } catch (err) {
      throw new UsageError(`parsing peer ID: ${(err as Error).message}`)
    }
  })
}

/**
 * A CID or a path → the API's path to it. Each step is escaped, so that a name with a "?" stays a name.
 *
 * @throws UsageError for what is neither
 */
export async function pinPathOf (arg: string): Promise<string> {
  const path = /^\/(ipfs|ipns|ipld)\/./.test(arg) ? arg : `/ipfs/${arg}`
  const [, namespace, root = '', ...steps] = path.replace(/\/$/, '').split('/')
  if (root === '' || steps.includes('')) throw new UsageError(`not a CID or a path: ${JSON.stringify(arg)}`)
  if (namespace !== 'ipns') await cidOf(root)
  return `/pins/${[namespace!, root, ...steps].map(encodeURIComponent).join('/')}`
}

/** The words of a filter. @throws UsageError for one that is not known: a misspelt filter would list the wrong things */
export function filterOf (text: string, known: readonly string[]): readonly string[] {
  const words = text.split(',').map(word => word.trim()).filter(word => word !== '')
  const stranger = words.find(word => !known.includes(word))
  if (stranger !== undefined || words.length === 0) throw new UsageError(`--filter: expected ${known.join(', ')} with commas between, got ${JSON.stringify(stranger ?? text)}${didYouMean(stranger ?? '', known)}`)
  return words
}
