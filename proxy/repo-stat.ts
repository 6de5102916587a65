import { kuboCommand } from './command.ts'
import type { KuboCommand } from './command.ts'
import { escapeXml } from './encodings.ts'
import type { CommandComponents } from './routes.ts'

interface Stat { readonly [key: string]: bigint | string, readonly RepoSize: bigint, readonly StorageMax: bigint, readonly NumObjects: bigint, readonly RepoPath: string, readonly Version: string }

/** `repo/stat` and its other name: sums over the cluster's daemons, always with Kubo's five keys. */
export function repoStat ({ cluster }: CommandComponents, path: 'repo/stat' | 'stats/repo'): KuboCommand {
  return kuboCommand({
    path,
    args: [],
    ignoresCidBase: true,
    options: { 'size-only': { type: 'bool', aliases: ['s'] }, human: { type: 'bool', aliases: ['H'] } },
    isRead: true,
    text (stat: Stat, { 'size-only': sizeOnly, human }) {
      const size = (bytes: bigint): string => human === true ? humanBytes(bytes) : String(bytes)
      const sizes: [string, string][] = [['RepoSize', size(stat.RepoSize)], ['StorageMax', size(stat.StorageMax)]]
      const rows: [string, string][] = sizeOnly === true ? sizes : [['NumObjects', String(stat.NumObjects)], ...sizes, ['RepoPath', stat.RepoPath], ['Version', stat.Version]]
      const width = Math.max(...rows.map(([name]) => name.length)) + 2
      return rows.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}\n`).join('')
    },
    printed: ({ RepoSize, StorageMax, NumObjects, RepoPath, Version }) => `&{{%!s(uint64=${RepoSize}) %!s(uint64=${StorageMax})} %!s(uint64=${NumObjects}) ${RepoPath} ${Version}}`,
    xml: ({ RepoSize, StorageMax, NumObjects, RepoPath, Version }) =>
      `<Stat><RepoSize>${RepoSize}</RepoSize><StorageMax>${StorageMax}</StorageMax><NumObjects>${NumObjects}</NumObjects><RepoPath>${escapeXml(RepoPath)}</RepoPath><Version>${escapeXml(Version)}</Version></Stat>`,
    async run ({ options, reply, signal }) {
      const { repoSize, storageMax, numObjects, repoPath, version } = await cluster.repoStat({ sizeOnly: options['size-only'] === true, signal })
      await reply.once({ RepoSize: repoSize, StorageMax: storageMax, NumObjects: numObjects, RepoPath: repoPath, Version: version })
    }
  })
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** go-humanize's `Bytes`: thousands, one decimal below ten. */
export function humanBytes (bytes: bigint): string {
  if (bytes < 10n) return `${bytes} B`
  const size = Number(bytes)
  const exponent = Math.floor(Math.log(size) / Math.log(1000))
  const value = Math.floor(size / 1000 ** exponent * 10 + 0.5) / 10
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[exponent]}`
}
