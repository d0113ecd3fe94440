# SPDX-License-Identifier: Apache-2.0
# Functions that several scripts share; sourced, not run.

# Runs a command as root.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Installs those of the named Debian packages that are missing.
install_missing() {
  local package missing=()
  for package in "$@"; do
    [ "$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# What debug builds are made with: kernels without optimisation would make the tests take many times as long.
debug_flags=(-Xcc -O2)

# The version of what is built, as Sources/FileIO/ProductVersion.swift has it.
product_version() {
  sed -n 's/.*static let text: StaticString = "\(.*\)"/\1/p' Sources/FileIO/ProductVersion.swift
}

# Says what is wrong and ends.
fail() {
  echo "$0: $*" >&2
  exit 1
}
