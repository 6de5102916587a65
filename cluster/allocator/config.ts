import { section, texts } from '../config/section.ts'
import type { ConfigOf } from '../config/section.ts'

const fields = {
  /** The metrics that peers are chosen by, the first one first: `tag:<name>`, `freespace`, `reposize`, `pinqueue`. Peers with the same tag form a group, and pins are spread over the groups. */
  allocateBy: texts(['tag:group', 'freespace'], { expects: 'names of metrics like tag:group, freespace or pinqueue', pattern: /^(tag:.+|freespace|reposize|pinqueue)$/ })
}

export type BalancedConfig = ConfigOf<typeof fields>
export const balancedSection = section('allocator.balanced', 'CLUSTER_BALANCED', fields, {
  check ({ allocateBy }) {
    if (allocateBy.length === 0) return 'allocate_by: expected at least one metric'
    return new Set(allocateBy).size < allocateBy.length ? 'allocate_by: expected each metric once' : undefined
  }
})
