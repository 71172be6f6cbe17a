#!/usr/bin/env bash
# All that needs a network: Debian's Docker engine, its compose v2, a root file system and wheels, into
# the cache. The mirrors are those the machine's apt and pip are set up with; a second run fetches nothing.
set -euo pipefail
WORK=$1
SOURCES=/etc/apt/sources.list.d/debian.sources
PYTHON=.venv/bin/python
source "$(dirname "$0")/steps.sh"

engine() {
    local package absent=()
    for package in docker.io iptables iproute2 mmdebstrap; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || absent+=("$package")
    done
    ((${#absent[@]})) || return 0
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${absent[@]}" >"$WORK/apt.log" 2>&1 \
        || { tail -20 "$WORK/apt.log" >&2; return 1; }
}

plugins() { # bookworm has no compose v2 and no buildx: trixie's are unpacked beside the system, not installed
    local apt=$WORK/apt target=$WORK/docker/cli-plugins
    [ -x "$target/docker-compose" ] && [ -x "$target/docker-buildx" ] && return
    rm -rf "$apt"
    mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$target"
    awk 'BEGIN { RS = "" } NR == 1' "$SOURCES" | sed 's/^Suites:.*/Suites: trixie/' >"$apt/trixie.sources"
    local options=(-qq -o "Dir::Etc::SourceList=$apt/trixie.sources" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$apt" && apt-get "${options[@]}" download docker-compose docker-buildx)
    local package
    for package in "$apt"/*.deb; do dpkg -x "$package" "$apt/unpacked"; done
    cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/docker-{compose,buildx} "$target"
    rm -rf "$apt"
}

root_files() {
    [ -f "$WORK/base.tar" ] && return
    mmdebstrap --quiet --mode=root --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        bookworm "$WORK/base.part.tar" "$SOURCES"
    mv "$WORK/base.part.tar" "$WORK/base.tar"
}

needs() { # what `pip install .` installs, and what it builds with
    "$PYTHON" -c '
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))
print(*project["build-system"]["requires"], *project["project"]["dependencies"], sep="\n")'
}

wheels() {
    local list=$WORK/wheels/requirements.txt
    needs >"$WORK/needs.txt"
    cmp -s "$WORK/needs.txt" "$list" && return
    rm -rf "$WORK/wheels"
    mkdir "$WORK/wheels"
    "$PYTHON" -m pip download --quiet --only-binary :all: --python-version 3.11 \
        --dest "$WORK/wheels" --requirement "$WORK/needs.txt"
    mv "$WORK/needs.txt" "$list" # last: the list says that the wheels are there
}

envoy() { # the binary the tests use, from the environment that `make setup` made
    local binary
    binary=$("$PYTHON" -c 'import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / "_bin" / "envoy")')
    mkdir -p "$WORK/envoy"
    cp -u "$binary" "$(dirname "$0")/envoy-entrypoint.sh" "$WORK/envoy"
}

step 'Docker engine' engine
step 'compose v2, buildx' plugins
step 'root file system' root_files
step 'wheels' wheels
step 'Envoy' envoy
