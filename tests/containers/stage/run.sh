#!/usr/bin/env bash
# `make containers`: builds the image, runs docker-compose.yml and the tests marked `container`, for real.
#
# Where a Docker engine answers, that one is used. Elsewhere one is started for this run alone, in
# namespaces of its own (stage.sh), with stand-ins for the two base images: no image registry is needed,
# and nothing stays behind but the cache in .containers/. It fails if it can't run; it never skips.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
cd "$HERE/../../.."
WORK=$(realpath -m .containers) # containers have no root file system behind a symlink
MINUTES=20 # for all that runs on the stage
WANTED=3000 # MB of free disk

say() { echo "[containers] $*"; }
missing() { say "can't run: $*" >&2; exit 1; }

if timeout 10 docker info >/dev/null 2>&1; then
    docker compose version >/dev/null 2>&1 || missing "Docker runs here, its compose plugin (v2) is not installed"
    say "using the Docker engine of this machine"
    exec "$HERE/check.sh" "$@"
fi

say "no Docker engine answers; starting one of our own"
[ "$(id -u)" = 0 ] || missing "needs root for namespaces and packages, or a Docker engine that this user may use"
[ -r /etc/apt/sources.list.d/debian.sources ] || missing "needs Debian with /etc/apt/sources.list.d/debian.sources"
for tool in unshare setpriv; do command -v $tool >/dev/null || missing "needs $tool, of util-linux"; done
mkdir -p "$WORK"
free=$(df --output=avail -m "$WORK" | tail -1)
say "disk: $free MB free, up to $WANTED MB wanted"
((free >= WANTED)) || missing "only $free MB are free under $WORK, $WANTED MB are wanted"

"$HERE/provide.sh" "$WORK"
# Killed with this script, however that ends: unshare by itself heeds no SIGTERM.
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc \
    timeout --foreground -k 10 "${MINUTES}m" "$HERE/stage.sh" "$WORK" "$@" &
wait $!
