#!/usr/bin/env bash
# A Docker engine for one run, in process, mount and network namespaces of its own: whatever is started
# here ends with it, the ports it publishes are on a loopback nobody else sees, and the machine's firewall
# is not touched.
set -euo pipefail
WORK=$1
shift
HERE=$(dirname "$0")
source "$HERE/steps.sh"
export DOCKER_HOST=unix://$WORK/run/docker.sock DOCKER_CONFIG=$WORK/docker
# There is no image of testcontainers' reaper (the namespaces clean up), and some machines have a
# /.dockerenv, which has it look for ports on the bridge.
export TESTCONTAINERS_RYUK_DISABLED=true
export TESTCONTAINERS_CONNECTION_MODE=docker_host TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1

start() {
    rm -rf "$WORK/run" "$WORK/exec" # stale after a kill
    mkdir -p "$WORK/run"
    # Without an uplink names of nobody would take long to fail.
    dockerd --host "$DOCKER_HOST" --data-root "$WORK/data" --exec-root "$WORK/exec" \
        --pidfile "$WORK/run/dockerd.pid" --dns 127.0.0.1 --dns-opt timeout:1 --dns-opt attempts:1 \
        >"$WORK/dockerd.log" 2>&1 &
    dockerd=$!
    local try
    for try in {1..300}; do
        docker version >/dev/null 2>&1 && return
        kill -0 $dockerd 2>/dev/null || break
        sleep 0.1
    done
    tail -20 "$WORK/dockerd.log" >&2
    return 1
}

stop() {
    kill $dockerd 2>/dev/null || true
    wait $dockerd || true
    rm -rf "$WORK/run" "$WORK/exec"
    find /sys/fs/cgroup -depth -type d -path '*/docker*' -exec rmdir {} + 2>/dev/null || true
}

images() { # stand-ins for what the Dockerfile and docker-compose.yml name, in this engine's store alone
    docker image inspect stage-base >/dev/null 2>&1 ||
        docker import -c 'ENV LANG=C.UTF-8' -c 'CMD ["python3"]' "$WORK/base.tar" stage-base >/dev/null
    docker build --quiet -t python:3.11-slim -f "$HERE/python.Dockerfile" "$WORK/wheels" >/dev/null
    docker build --quiet -t envoyproxy/envoy:v1.40-latest -f "$HERE/envoy.Dockerfile" "$WORK/envoy" >/dev/null
}

ip link set lo up
step 'dockerd' start
trap stop EXIT
step 'stand-in images' images
"$HERE/check.sh" "$@"
