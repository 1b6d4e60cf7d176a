# The few commands that one needs here. Each is one line, so `just` itself is a convenience.

# Lists the recipes.
default:
    @just --list

# Fast tests: no network, no root.
test *filter:
    cargo test --locked {{ filter }}

# Everything that must pass before a change lands. Needs Debian 12 and root.
test-all:
    .ci/run

# Checks format and lints.
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# Formats the source.
fmt:
    cargo fmt

# Writes the generated parts of the documents, then shows what changed.
docs:
    UPDATE_DOCS=1 cargo test --locked --test it -- docs
    git diff --stat -- README.md docs

# Runs the program against the simulated account: `just run up --db my-instance`. As the tests build it, so that the SDK is not compiled twice.
run *arguments:
    cargo test --locked --no-run --quiet
    target/debug/rdsproxy-setup --sandbox {{ arguments }}

# Fuzzes the code that rewrites values, for this many seconds a target.
fuzz seconds="60":
    FUZZ_SECONDS={{ seconds }} fuzz/run
