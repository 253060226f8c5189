# What CI does, on this machine.
verify:
    .ci/run

fmt:
    cargo fmt --all

lint:
    cargo clippy --workspace --all-targets -- -D warnings

test:
    cargo test --workspace

# The figures of the core: a fan-out of N items, mapped twice, collected or folded.
bench *args:
    cargo bench -p fanfold-tests --bench fan -- {{args}}

# How long a crate with many ops takes to check, against the same functions alone.
bench-check:
    tests/benches/check.sh

# Random jobs against the reference interpreter, for as long as wanted.
torture cases="1000000":
    FANFOLD_CASES={{cases}} cargo test --release -p fanfold-tests --test model --test simulation -- --nocapture

# Kills processes at random instants, and at each named point.
torture-crash kills="10000":
    FANFOLD_KILLS={{kills}} cargo test --release -p fanfold-tests --test crash -- --nocapture

# The power is cut, and disks fail, so many times; needs strace.
powercut images="1000000" faults="10000":
    FANFOLD_IMAGES={{images}} FANFOLD_FAULTS={{faults}} cargo test --release -p fanfold-tests --test powercut -- --include-ignored --nocapture

# Builds with each seeded defect, and shows that the harness that is to find it does.
defects:
    .ci/defects

# New words of the compiler, or of the macros: look at the difference before committing it.
bless:
    TRYBUILD=overwrite cargo test -p fanfold-tests --test ui
    UPDATE_EXPECT=1 cargo test --workspace
