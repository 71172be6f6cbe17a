#!/usr/bin/env bash
# With a Docker engine at hand: the repository's own Dockerfile and compose file, then the tests.
set -euo pipefail
source "$(dirname "$0")/steps.sh"
step 'docker compose config' docker compose config --quiet
step 'image' docker compose build --quiet
step 'tests' .venv/bin/python -m pytest -q -m container -p no:cacheprovider tests/containers "$@"
