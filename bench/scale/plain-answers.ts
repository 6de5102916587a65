const storageMax = 1e15

/** What any daemon without a network answers to what a peer asks it beside pins and blocks; nothing for what else there is. */
export function plainAnswer (command: string, { id, objects }: { readonly id: string, readonly objects: number }): object | undefined {
  switch (command) {
    case 'id': return { ID: id, Addresses: [] }
    case 'version': return { Version: '0.44.0', Commit: '', Repo: '18', System: '', Golang: '' }
    case 'repo/stat': return { RepoSize: 0, StorageMax: storageMax, NumObjects: objects, RepoPath: '', Version: 'fs-repo@18' }
    case 'swarm/connect': return { Strings: [] }
    case 'swarm/peers': return { Peers: [] }
    default: return undefined
  }
}
