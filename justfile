# Papers that are generated, committed and checked for drift.
regen:
    UPDATE=1 cargo test --test policies --test edge

# Everything that the continuous integration runs.
test:
    ./test

# The main job, on this machine.
demo:
    ./demo

# Benches: see tests/bench/README.md.
bench:
    cargo bench
