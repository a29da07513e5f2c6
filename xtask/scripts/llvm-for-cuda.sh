#!/usr/bin/env bash
# Prepares LLVM for the CUDA backend on Debian and Ubuntu, for machines that cannot download Burn's own build of LLVM.
#
# The crate cubecl-llvm links LLVM. The build script of tracel-llvm-bundler downloads it from GitHub, unless a folder in
# the user's data folder has it already. This script fills that folder with links to Debian's LLVM 22, which has the
# same C functions and the NVPTX target. Afterwards `cargo build --features cuda` needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n '/^name = "tracel-llvm-bundler"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
bundle="${XDG_DATA_HOME:-$HOME/.local/share}/tracel/tracel-llvm-$version"
llvm=/usr/lib/llvm-22

if ! [ -x $llvm/bin/llvm-config ] || ! [ -e /usr/lib/x86_64-linux-gnu/libz3.so ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev libxml2-dev libz3-dev g++
fi

mkdir -p "$bundle/bin"
ln -sfn $llvm/lib "$bundle/lib"
ln -sfn $llvm/include "$bundle/include"
# Debian's llvm-config prints the path of libz3. The bundler would turn it into the option -llibz3.
cat > "$bundle/bin/llvm-config" <<SCRIPT
#!/bin/sh
$llvm/bin/llvm-config "\$@" | sed 's#/[^ ]*/libz3\.so#-lz3#'
SCRIPT
chmod +x "$bundle/bin/llvm-config"
touch "$bundle/.tracel-llvm-installed"
echo "LLVM for CUDA: $bundle"
