#!/usr/bin/env bash
# How long `cargo check` takes for a crate with 500 ops and 20 jobs, against the same functions
# without the macros: the ratio of the medians of five checks each. Dependencies are built before.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR="$work/target" CARGO_TERM_COLOR=never

new_crate() {
    mkdir -p "$work/$1/src"
    cat > "$work/$1/Cargo.toml" <<TOML
[package]
name = "$1"
version = "0.0.0"
edition = "2024"
[dependencies]
fanfold = { path = "$root/runtime" }
[workspace]
TOML
    cp "$root/Cargo.lock" "$work/$1/"
}

# op N: even ones infallible, odd ones with a Result; one in 25 gives many items.
functions() {
    local attribute=$1 many=$2
    for n in $(seq 0 499); do
        if (( n % 25 == 0 )); then
            echo "$many"
            echo "pub fn op_$n(n: u64) -> Vec<fanfold::DynamicOutput<u64>> { (0..n).map(|x| fanfold::DynamicOutput::new(x, x + $n)).collect() }"
        elif (( n % 2 == 0 )); then
            echo "$attribute"
            echo "pub fn op_$n(x: u64, name: &str) -> u64 { x + name.len() as u64 + $n }"
        else
            echo "$attribute"
            echo "pub fn op_$n(x: u64) -> Result<u64, std::io::Error> { Ok(x * $n) }"
        fi
    done
}

jobs() {
    for job in $(seq 0 19); do
        local first=$((job * 25))
        echo "#[fanfold::job] pub fn job_$job(n: fanfold::Out<u64>) -> fanfold::Out<Vec<u64>> {"
        echo "    op_$first(n).map(|x| {"
        for op in $(seq $((first + 1)) $((first + 24))); do
            if (( op % 2 == 0 )); then echo "        let x = op_$op(x, \"text\");"; else echo "        let x = op_$op(x);"; fi
        done
        echo "        x"
        echo "    }).collect()"
        echo "}"
    done
}

new_crate plain
new_crate ops
functions '' '' > "$work/plain/src/lib.rs"
{ functions '#[fanfold::op]' '#[fanfold::op(dynamic_out)]'; jobs; } > "$work/ops/src/lib.rs"

check() { (cd "$work/$1" && cargo check --quiet --offline >&2); }
median() {
    local name=$1 times=()
    for _ in 1 2 3 4 5; do
        touch "$work/$name/src/lib.rs"
        local begun=$(date +%s%N)
        check "$name"
        times+=($(( ($(date +%s%N) - begun) / 1000000 )))
    done
    printf '%s\n' "${times[@]}" | sort -n | sed -n 3p
}
check plain
check ops
plain=$(median plain)
ops=$(median ops)
echo "500 functions: $plain ms; the same as ops, with 20 jobs: $ops ms; ratio $(( ops * 100 / plain )) %"
