# Sourced: says how long each step took.
step() {
    local name=$1 from=$SECONDS
    shift
    "$@" || { echo "[containers] $name: failed" >&2; return 1; }
    echo "[containers] $name: $((SECONDS - from)) s"
}
