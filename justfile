# What a contributor runs. `just` alone lists it.

_list:
    @just --list --unsorted

# all that a change must pass before it is pushed
check: fmt lint test

# format; `just fmt --check` only looks
fmt *arguments:
    cargo fmt {{arguments}}

# clippy, with warnings as errors
lint:
    cargo clippy --release --all-targets -- -D warnings

# the test command of README.md
test *filter:
    cargo test --release {{filter}}

# the same with every real tool required, as .ci/run
conformance *filter:
    MESHGEN_REQUIRE_TOOLS=1 cargo test --release {{filter}}

# accept what golden tests print now: read the diff before you commit it
bless:
    MESHGEN_BLESS=1 cargo test --release --test it -- golden bad readme

# licences, bans, sources; then advisories, whose database is on the network
deny:
    cargo deny check licenses bans sources
    cargo deny check advisories || echo 'not run: advisories: their database could not be fetched'

# mutate what the parsers read, for a minute each
fuzz seconds="60":
    MESHGEN_FUZZ_SECONDS={{seconds}} cargo test --release --test it fuzz -- --test-threads 1

# what takes longer than a push should: fuzzing, more cases for istioctl, apply killed everywhere
nightly:
    just fuzz 180
    MESHGEN_CASES=1000 MESHGEN_REQUIRE_TOOLS=1 cargo test --release --test it istio_conformance
    MESHGEN_EVERY_KILL=1 MESHGEN_REQUIRE_TOOLS=1 cargo test --release --test it apply_faults::
    MESHGEN_EVERY_KILL=1 MESHGEN_REQUIRE_TOOLS=1 cargo test --release --test it apply::rotation::kill
    MESHGEN_EVERY_KILL=1 MESHGEN_REQUIRE_TOOLS=1 cargo test --release --test it remote::fault
    cargo test --release --test it apply::nightly -- --ignored --nocapture

# 1 to 1,000 clusters, cold, warm, after a one-line change, against `cp -r`
bench *arguments:
    cargo run --release --example bench -- {{arguments}}

# control planes beside istioctl and helm: one cluster, istiod's chart, 100 clusters
bench-istio:
    cargo test --release --test it bench:: -- --ignored --nocapture

# apply beside kubectl on the same control plane, and twelve clusters beside one
bench-apply:
    cargo test --release --test it apply::bench -- --ignored --nocapture --test-threads 1

# build the real tools now (once for all clones), and say which are there
tools:
    MESHGEN_REQUIRE_TOOLS=1 cargo test --release --test it tool::

# one static Linux binary; `just release --twice` builds it in two other folders and compares
release *arguments:
    .ci/release {{arguments}}

# real Flux brings a tree to real API servers: eight minutes of compiling, once, and then two
flux:
    cargo test --release --test it flux_can_be_had -- --ignored
    MESHGEN_REQUIRE_TOOLS=1 cargo test --release --test it apply::flux -- --ignored --nocapture

# OpenTofu, for a machine without Terraform: six minutes
tofu:
    cargo test --release --test it open_tofu_can_be_had -- --ignored

# a real mesh of N clusters on this machine, proven, then broken in every way (root, Debian, 20 minutes the first time)
lab clusters="2":
    cargo build --release
    tests/lab/run {{clusters}}

# cosign, and the tests that it judges: five minutes
cosign:
    cargo test --release --test it cosign_can_be_had -- --ignored
    cargo test --release --test it cosign::
