#!/bin/sh
# Writes the configuration on the first start, then runs the command given, by default the daemon.
set -e
[ -f "$IPFS_CLUSTER_PATH/service.json" ] || ipfs-cluster-service init
exec ipfs-cluster-service "$@"
