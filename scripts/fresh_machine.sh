#!/bin/bash
# Proves the first promise of the README: on a fresh Debian 12, a clone and `make run` serve, and
# `make test` passes. For maintainers; needs root and debootstrap, some minutes and 3 GB below TMPDIR.
#
#   scripts/fresh_machine.sh [COMMIT]      default HEAD; what is not committed is not tried
#   KEEP=1 scripts/fresh_machine.sh        leaves the machine where it is, for a look
#   ONLY=run scripts/fresh_machine.sh      does not go on to the tests
#
# The machine is a chroot with nothing but Debian's minimal system, made from the package mirror
# that this host uses itself, and with make, as the README asks. It shares the host's network.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=${1:-HEAD}
[ "$(id -u)" = 0 ] || { echo 'fresh_machine: needs root' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo 'fresh_machine: needs debootstrap' >&2; exit 1; }

# "500 http://mirror/debian bookworm/main amd64 Packages" -> http://mirror/debian
mirror=$(apt-cache policy base-files | awk '$3 ~ /\/main$/ { print $2; exit }')
[ -n "$mirror" ] || { echo 'fresh_machine: this host names no mirror (apt-get update?)' >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/rox-fresh.XXXXXX")
root=$work/root
# Ids of the processes inside: they have the root as their own. Names those called $1, or all.
processes() {
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/root" 2>/dev/null)" = "$root" ] || continue
    [ -z "${1:-}" ] || [ "$(cat "$process/comm" 2>/dev/null)" = "$1" ] || continue
    echo "${process#/proc/}"
  done
}
finish() {
  status=$?
  for process in $(processes); do
    kill -9 "$process" || true
  done
  sleep 1
  for mounted in dev/pts dev proc; do
    ! mountpoint -q "$root/$mounted" || umount -l "$root/$mounted"
  done
  if [ -n "${KEEP:-}" ]; then
    echo "fresh_machine: left in $work"
  elif ! grep -q " $root" /proc/mounts; then
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}
trap finish EXIT
# A host that trusts more certificates than Debian does, because its network asks for that, lends
# them to npm.
lent=()
inside() { chroot "$root" env -i "${lent[@]}" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }

echo "== bookworm from $mirror"
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  { tail -20 "$work/debootstrap.log" >&2; exit 1; }
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
cp /etc/resolv.conf "$root/etc/resolv.conf"
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  cp "$NODE_EXTRA_CA_CERTS" "$root/root/host-certificates.crt"
  lent=(NODE_EXTRA_CA_CERTS=/root/host-certificates.crt)
fi
inside apt-get -qq install --no-install-recommends make >"$work/make.log" 2>&1

git clone -q --no-hardlinks . "$root/root/roxdb"
git -C "$root/root/roxdb" -c advice.detachedHead=false checkout -q "$(git rev-parse "$commit")"

echo '== make run'
port=$((20000 + RANDOM % 10000))
inside env -C /root/roxdb make run ARGS="--port $port --bind 127.0.0.1 --dir /tmp" \
  >"$work/run.log" 2>&1 &
answer=
for ((second = 0; second < 900; ++second)); do
  if { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then
    printf 'PING\r\n' >&3
    read -r -t 10 answer <&3 || true
    exec 3>&-
    break
  fi
  kill -0 $! 2>/dev/null || break
  sleep 1
done
head -60 "$work/run.log"
if [ "$answer" != $'+PONG\r' ]; then
  tail -40 "$work/run.log"
  echo "fresh_machine: make run did not serve (PING answered '$answer')"
  exit 1
fi
echo "   serves after $second s"
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'SHUTDOWN NOSAVE\r\n' >&3
exec 3>&-
wait $!

[ "${ONLY:-}" != run ] || exit 0

echo '== make test'
inside env -C /root/roxdb make test 2>&1 | tee "$work/test.log"
tail -1 "$work/test.log" | grep -q ' 0 failed$'
if [ -n "$(processes redis-server)" ]; then
  echo 'fresh_machine: the package has left a redis-server running'
  exit 1
fi
echo '== .ci/run, which adds the checks; nothing is left to install or build for the tests'
inside /root/roxdb/.ci/run
