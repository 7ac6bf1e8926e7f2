#!/bin/sh
# Makes sure that the Debian packages a make target needs are there.
#
#   setup.sh build    compiler and libraries          setup.sh fuzz     clang with libFuzzer
#   setup.sh test     what the tests need besides     setup.sh cfi      clang and its linker
#   setup.sh check    clang-format (optional)         setup.sh apps     programs that use a server
#   setup.sh suites   what the suites of Redis need
#
# Looks for one file of each package and says nothing when all are found, which takes a few
# milliseconds; otherwise installs what is missing with apt-get, through sudo when not root.
# ROX_SKIP_SETUP=1 switches it off, for systems that get their libraries another way.
set -eu
[ "${ROX_SKIP_SETUP:-}" != 1 ] || exit 0

missing=
# need PACKAGE FILE...: the package is there when one of the files is (patterns allowed).
need() {
  package=$1
  shift
  for file in "$@"; do
    [ ! -e "$file" ] || return 0
  done
  missing="$missing $package"
}

need_build() {
  need g++ /usr/bin/g++ /usr/local/bin/g++
  need make /usr/bin/make /usr/local/bin/make
  need libuv1-dev /usr/include/uv.h /usr/local/include/uv.h
  need libxxhash-dev /usr/include/xxhash.h /usr/local/include/xxhash.h
  need liblua5.1-0-dev /usr/include/lua5.1/lua.hpp /usr/local/include/lua5.1/lua.hpp
  need libzstd-dev /usr/include/zstd.h /usr/local/include/zstd.h
  need rapidjson-dev /usr/include/rapidjson/rapidjson.h /usr/local/include/rapidjson/rapidjson.h
  need libjemalloc-dev /usr/include/jemalloc/jemalloc.h /usr/local/include/jemalloc/jemalloc.h
  need libfmt-dev /usr/include/fmt/core.h /usr/local/include/fmt/core.h
  need libssl-dev /usr/include/openssl/ssl.h /usr/local/include/openssl/ssl.h
}

need_test() {
  need libboost-test-dev /usr/lib/*/libboost_unit_test_framework.so \
    /usr/lib/libboost_unit_test_framework.so /usr/local/lib/libboost_unit_test_framework.so
  need libhiredis-dev /usr/include/hiredis/hiredis.h /usr/local/include/hiredis/hiredis.h
  need python3 /usr/bin/python3 /usr/local/bin/python3
  need python3-redis /usr/lib/python3/dist-packages/redis /usr/lib/python3*/site-packages/redis
  need redis-tools /usr/bin/redis-cli /usr/local/bin/redis-cli
  need redis-server /usr/bin/redis-server /usr/local/bin/redis-server
  need openssl /usr/bin/openssl /usr/local/bin/openssl
}

need_apps() {
  need nodejs /usr/bin/node /usr/local/bin/node
  need npm /usr/bin/npm /usr/local/bin/npm
  need celery /usr/bin/celery
  need ruby-sidekiq /usr/bin/sidekiq
  need php-cli /usr/bin/php
  need php-redis /etc/php/*/mods-available/redis.ini
}

need_suites() {
  need tcl /usr/bin/tclsh /usr/bin/tclsh8.6
  need procps /usr/bin/ps
}

need_fuzz() {
  need clang-14 /usr/bin/clang++-14
  need libclang-rt-14-dev /usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
}

need_cfi() {
  need clang-14 /usr/bin/clang++-14
  need lld-14 /usr/bin/ld.lld-14
  need llvm-14 /usr/bin/llvm-ar-14
}

need_check() {
  need python3 /usr/bin/python3 /usr/local/bin/python3
  need clang-format-14 /usr/bin/clang-format-14
}

# The tests start their own redis-server on their own port; the service that comes with the package
# must not take 6379 from the user, now or at the next boot. Called only when the package is new
# here, so an existing service is never touched. A policy of the machine's owner stays in force.
POLICY=/usr/sbin/policy-rc.d
deny_redis_service() {
  [ ! -e $POLICY ] || return 0
  trap '$as_root rm -f $POLICY' EXIT
  printf '#!/bin/sh\ncase "$*" in *redis*) exit 101 ;; esac\nexit 0\n' |
    $as_root tee $POLICY >/dev/null
  $as_root chmod 755 $POLICY
}
disable_redis_service() {
  [ -d /run/systemd/system ] || return 0
  $as_root systemctl disable --now redis-server >/dev/null 2>&1 || true
}

apt_install() {
  # shellcheck disable=SC2086  # a list of words on purpose
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends $missing >"$log" 2>&1 </dev/null
}

case "${1:-build}" in
  build) need_build ;;
  test) need_build; need_test; need_apps ;;
  apps) need_build; need_test; need_apps ;;
  suites) need_build; need_test; need_suites ;;
  fuzz) need_build; need_fuzz ;;
  cfi) need_build; need_cfi ;;
  check) need_check ;;
  *) echo "setup.sh: build, test, apps, suites, fuzz, cfi or check, not '$1'" >&2; exit 2 ;;
esac
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here; please install what Debian calls:$missing" >&2
  echo "setup: (ROX_SKIP_SETUP=1 switches this check off)" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
  as_root=sudo
  if ! command -v sudo >/dev/null; then
    echo "setup: as root, please: apt-get install$missing" >&2
    exit 1
  fi
fi

echo "setup: apt-get install$missing"
log=$(mktemp)
case "$missing" in *redis-server*) new_redis=1; deny_redis_service ;; *) new_redis= ;; esac
# A machine that is new, or old, has no package lists that fit: fetch them and try once more.
if ! apt_install; then
  $as_root apt-get -qq update >"$log" 2>&1 || true
  if ! apt_install; then
    cat "$log" >&2
    rm -f "$log"
    # Without clang-format everything but the format check still works.
    [ "$1" = check ] && [ -e /usr/bin/python3 ] && exit 0
    exit 1
  fi
fi
rm -f "$log"
[ -z "$new_redis" ] || disable_redis_service
