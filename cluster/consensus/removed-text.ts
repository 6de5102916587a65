/** What a peer says that has learnt that it is no member any more, and whenever it is started again on that state. */
export const removedText = 'this peer was removed from the cluster. To join again put its state aside with "ipfs-cluster-service --force state cleanup" and start it, with --bootstrap where the peers agree by Raft'
