#!/bin/sh
# What a container does before the peer: gives up root, writes the configuration at the first start, and then runs the command that was given.
#
# IPFS_CLUSTER_PEERS   host names of all peers, commas between. Those that have nothing yet then become one cluster, in whatever order they start.
# IPFS_CLUSTER_SHARED  a folder that these peers share, and nobody else can read: the first of them leaves the secret there, and that it founds.
# IPFS_CLUSTER_HOST    the name of this one among them; CLUSTER_PEERNAME unless given.
# Each setting of the peer can be given as its own CLUSTER_* variable: docs/configuration.md.
set -eu
umask 077

user=1000
data=${IPFS_CLUSTER_PATH:-/data/ipfs-cluster}
shared=${IPFS_CLUSTER_SHARED:-}

fail () { echo "error: $*" >&2; exit 1; }

# Folders of the host are made by the engine, and belong to root.
if [ "$(id -u)" = 0 ]; then
  for folder in "$data" $shared; do
    mkdir -p "$folder"
    [ "$(stat -c %u "$folder")" = "$user" ] || chown -R "$user:$user" "$folder"
  done
  export HOME=/home/node
  exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs -- "$0" "$@"
fi

# A daemon that is named is meant, also while it does not answer yet, and for the proxy too.
if [ -n "${CLUSTER_IPFSHTTP_NODEMULTIADDRESS:-}" ]; then
  export CLUSTER_EMBEDDED_USE="${CLUSTER_EMBEDDED_USE:-never}"
  export CLUSTER_IPFSPROXY_NODEMULTIADDRESS="${CLUSTER_IPFSPROXY_NODEMULTIADDRESS:-$CLUSTER_IPFSHTTP_NODEMULTIADDRESS}"
fi

random () { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# The first start of one of several peers that were told each other's names, and nothing else.
init_together () {
  [ -n "$shared" ] || fail 'IPFS_CLUSTER_PEERS needs IPFS_CLUSTER_SHARED, a folder that these peers share'
  host=${IPFS_CLUSTER_HOST:-${CLUSTER_PEERNAME:?IPFS_CLUSTER_PEERS needs it}}

  # What this peer calls itself is its own until it has a configuration, so that a start that was cut short is gone on with.
  [ -s "$data/first-start" ] || { random > "$data/first-start.new"; mv "$data/first-start.new" "$data/first-start"; }

  # A folder that holds something is never replaced by another, so the peer that moves its own there first has founded.
  offer=$shared/offer-$host
  mkdir -p "$offer"
  random > "$offer/secret"
  cp "$data/first-start" "$offer/founder"
  sync "$offer/secret" "$offer/founder" "$offer"
  mv -T "$offer" "$shared/cluster" 2> "$data/first-start.err" || rm -rf "$offer"
  [ -s "$shared/cluster/founder" ] || fail "$shared cannot be used to share the secret: $(cat "$data/first-start.err")"
  secret=${CLUSTER_SECRET:-$(cat "$shared/cluster/secret")}

  addresses=
  if ! cmp -s "$data/first-start" "$shared/cluster/founder"; then
    for peer in $(echo "$IPFS_CLUSTER_PEERS" | tr ',' ' '); do
      [ "$peer" = "$host" ] || addresses=$addresses${addresses:+,}/dns4/$peer/tcp/9096
    done
  fi
  CLUSTER_SECRET="$secret" \
  CLUSTER_ANNOUNCEMULTIADDRESS="${CLUSTER_ANNOUNCEMULTIADDRESS:-/dns4/$host/tcp/9096}" \
  CLUSTER_PEERADDRESSES="${CLUSTER_PEERADDRESSES:-$addresses}" ipfs-cluster-service init
  rm -f "$data/first-start" "$data/first-start.err"
}

if [ ! -f "$data/service.json" ]; then
  if [ -n "${IPFS_CLUSTER_PEERS:-}" ]; then init_together; else ipfs-cluster-service init; fi
fi
exec ipfs-cluster-service "$@"
