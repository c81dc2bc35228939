#!/bin/sh
# Installs Tocsin from a checkout into a folder of its own, every package checked against the hash in the lock files.
# Usage: install.sh CHECKOUT FOLDER
set -eu
if [ "$#" -ne 2 ]; then
  echo "usage: install.sh CHECKOUT FOLDER" >&2
  exit 2
fi
checkout=$1
folder=$2
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The wheel is built in a second environment: what builds it is not shipped.
building=$(mktemp -d)
trap 'rm -rf "$building"' EXIT
python3 -m venv "$building/venv"
"$building/venv/bin/pip" install --quiet --require-hashes -r "$checkout/deploy/docker/build.lock"
# Copied first, so that the checkout may be read-only and stays clean.
mkdir "$building/src"
for part in pyproject.toml README.md LICENSE stream detectors topology; do
  cp -R "$checkout/$part" "$building/src/"
done
"$building/venv/bin/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir "$building/wheel" "$building/src"

python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --require-hashes -r "$checkout/deploy/docker/requirements.lock"
"$folder/bin/pip" install --quiet --no-deps "$building"/wheel/tocsin-*.whl
"$folder/bin/pip" check
mkdir -p "$folder/share/tocsin"
cp -R "$checkout/deploy/regions" "$checkout/deploy/docker/probe.py" "$folder/share/tocsin/"
# Nothing is installed into a running image.
"$folder/bin/pip" uninstall --quiet --yes pip
