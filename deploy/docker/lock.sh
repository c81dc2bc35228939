#!/bin/sh
# Makes the lock files anew from pyproject.toml (and the extras that an image needs), with uv: pip install uv
set -eu
cd "$(dirname "$0")"
uv pip compile ../../pyproject.toml --extra otel --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
  --generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock "$@"
printf 'setuptools>=77\nwheel\n' | uv pip compile - --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --output-file build.lock "$@"
