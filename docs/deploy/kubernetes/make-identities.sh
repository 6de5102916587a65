#!/bin/sh
# Prints a Secret with what three peers need to know before they start for the first time: the secret of their cluster, an identity for each, and
# where the others are. Run it once, from a checkout; whoever has its output can be any of these peers.
#   REPLICAS    how many, 3
#   NAME        of the StatefulSet, ipfs-quorum
set -eu
umask 077
name=${NAME:-ipfs-quorum}
service=$(cd "$(dirname "$0")/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

secret=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
i=0
while [ "$i" -lt "${REPLICAS:-3}" ]; do
  CLUSTER_SECRET=$secret "$service/node_modules/.bin/node" "$service/bin/ipfs-cluster-service.ts" --config "$folder/$i" init >&2
  id=$(sed -n 's/.*"id": "\(.*\)".*/\1/p' "$folder/$i/identity.json")
  echo "/dns4/$name-$i.$name-peers/tcp/9096/p2p/$id" >> "$folder/peers"
  i=$((i + 1))
done

encoded () { base64 -w0 < "$1"; }
printf %s "$secret" > "$folder/secret"
cat <<END
apiVersion: v1
kind: Secret
metadata:
  name: $name
type: Opaque
data:
  secret: $(encoded "$folder/secret")
  peers: $(encoded "$folder/peers")
END
i=0
while [ "$i" -lt "${REPLICAS:-3}" ]; do
  echo "  $name-$i.json: $(encoded "$folder/$i/identity.json")"
  i=$((i + 1))
done
