#!/usr/bin/env bash
# Checks, measures and profiles embert on an NVIDIA GPU in one call, within 560 seconds.
#
# Usage: OUT=FOLDER ./run [PYTHON]
# PYTHON has torch, transformers and peft. FOLDER/summary.txt has a line for each item, FOLDER/items.txt its output.
# Each item has a limit in seconds. An item that does not fit into the rest of the time is left out.
python=$(command -v "${1:-python3}")
case $python in */*) python=$(realpath --no-symlinks "$python") ;; esac
out=${OUT:-results}
mkdir -p "$out" && out=$(realpath "$out")
cd "$(dirname "$0")" || exit 1
summary=$out/summary.txt
text=$(mktemp)
most=560

# libdevice and the driver's cache of compiled PTX are here. cubecl.toml keeps CubeCL's caches in env/.
[ -e cuda ] && export CUDA_PATH=$PWD/cuda
export CUDA_CACHE_PATH=$PWD/jit CUDA_CACHE_MAXSIZE=4294967296 CUBECL_AUTOTUNE_LEVEL=minimal PYTHONUNBUFFERED=1

# item NAME LIMIT COMMAND...
item() {
  local name=$1 limit=$2 begin=$SECONDS left=$((most - SECONDS))
  shift 2
  if [ "$left" -lt 20 ]; then echo "$name: left out" >>"$summary"; return; fi
  [ "$limit" -gt "$left" ] && limit=$left
  timeout -k 5 "$limit" "$@" >"$text" 2>&1
  echo "[$begin-${SECONDS}s] $name: exit code $?; $(tail -n 1 "$text" | cut -c1-400)" >>"$summary"
  { echo "== $name"; cat "$text"; } >>"$out/items.txt"
}

embert() { item "embert_$1" "$2" sh -c "./embert-bench worker <workloads/$1.json"; }
peer() { item "peer_$1" "$2" sh -c "'$python' peer.py <workloads/$1.json"; }

if ! ./embert-bench workloads "$(mktemp -d)" >"$summary" 2>&1; then
  echo "embert-bench does not start on this system; it was built with $(cat built-with)" | tee -a "$summary"
  exit 1
fi
nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total --format=csv,noheader >"$summary"
echo "the packed kernels are for $(cat kernels-for); others are compiled in the first steps" >>"$summary"
nvidia-smi --query-gpu=timestamp,memory.used,utilization.gpu --format=csv,noheader --loop-ms=500 >"$out/memory.csv" &
sampler=$!

item limits 25 "$python" limits.py
item parity 110 ./embert-bench parity --device cuda --fixtures fixtures
embert bert-base-512-full-bf16 120
peer bert-base-512-full-bf16 45
# The tenth step, after the run above has tuned the kernels: time, memory traffic and tensor cores of each launch.
launches=$(cat launches)
item profile 130 sh -c "ncu --clock-control none --csv --launch-skip $((9 * launches)) --launch-count $launches \
  --kill yes --metrics gpu__time_duration.sum,dram__bytes.sum,sm__inst_executed_pipe_tensor.sum \
  ./embert-bench worker <workloads/bert-base-512-full-bf16.json >'$out/ncu.csv'; '$python' kernels.py '$out/ncu.csv'"
for workload in bert-base-128-full-bf16 bert-base-512-lora-bf16 bert-base-512-full-fp16 bert-base-512-full-fp32 \
  bert-base-128-lora-bf16 bert-base-128-full-fp16 bert-base-128-full-fp32; do
  embert $workload 60
  peer $workload 40
done

kill $sampler
cat "$summary"
