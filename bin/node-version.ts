/** As `engines` in package.json has it. */
const oldest = 24

/**
 * Why this version of Node cannot run the programs, or undefined when it can. To be asked before anything else is loaded: an older one
 * stops at code that it cannot read, with words that tell nobody what to do.
 *
 * @param version as `process.versions.node` has it
 */
export function whyNotNode (version: string): string | undefined {
  return Number.parseInt(version, 10) >= oldest ? undefined : `Node ${oldest} or newer is needed, and this is ${version}`
}
