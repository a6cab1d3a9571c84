#!/bin/sh
# Builds everything with warnings as errors, runs all tests, a few failed ones a second time, sums them up and checks the line coverage of src.
# Started by './danube test [--long] [FILTER]'. The last line is 'N passed, N failed' (and ', N skipped' or ', N at the second attempt' when
# there are any); what failed stands right before it.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
dotnet=${DANUBE_DOTNET:-dotnet}
results=$root/artifacts/tests
# The SDK's whole set of test processes at once would starve two cores; hang guards in the tests assume that they get one.
projects_at_once=1

case ${1:-} in
    -h | --help)
        cat <<'HELP'
usage: danube test [--long] [FILTER]

Builds the solution (Release, warnings are errors), runs every test project and prints 'N passed, N failed' as its last line.
Exit code 0 only when everything passed. Without FILTER the line coverage of src is measured and must reach the thresholds
that tests/coverage.awk names. FILTER is that of 'dotnet test --filter'; a plain word selects all tests whose full name contains it.
Each failed test is named right before the last line, with its message and the place where it failed.

Without FILTER, when at most three tests failed, they are run once more, by themselves. Those that pass then are listed with what they said at first as
'passed only at the second attempt', and the last line is 'N passed, 0 failed, N at the second attempt' (they count as passed). There is no
second attempt when one of them is of a class that tests/audited.txt lists (promises, crashes, damage, models, clusters, allocation, formats), or
when a test process crashed. Coverage is that of the first attempt.

--long   what is sampled otherwise (damage of the log's files, kill -9 rounds) is tried exhaustively, for many minutes; coverage is
         not measured. What was tried is listed at the end in both modes.
HELP
        exit 0
        ;;
esac

filter=''
DANUBE_LONG=''
for argument in "$@"; do
    case $argument in
        --long) DANUBE_LONG=1 ;;
        -*)
            echo "danube test: unknown option '$argument'" >&2
            exit 2
            ;;
        *)
            [ -z "$filter" ] || {
                echo "danube test: one FILTER only, but there are '$filter' and '$argument'" >&2
                exit 2
            }
            filter=$argument
            ;;
    esac
done
# Tests append a line for each matrix or loop that they ran.
DANUBE_COUNTS=$results/counts.txt
export DANUBE_LONG DANUBE_COUNTS

# command:package pairs that tests use beside the SDK. A fresh machine gets them here; without rights to install, the tests
# that need one fail and name it.
needed=''

install_needed() {
    missing=''
    for pair in $needed; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
    done
    [ -n "$missing" ] || return 0
    echo "Installing$missing"
    as_root=''
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    # shellcheck disable=SC2086
    $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing
}

# command:package pairs that are only unpacked, into artifacts/packages: their packages would start a system service, which no
# test wants. Where the command is installed already, that one is used. A command may need several packages: comma between them.
unpacked='etcd:etcd-server etcdctl:etcd-client promtool:prometheus faketime:faketime,libfaketime'

install_needed
# shellcheck disable=SC2086
sh "$root/tests/unpack.sh" $unpacked || echo 'Some packages could not be unpacked; the tests that need them fail and name them.'
cd "$root"
rm -rf "$results"
mkdir -p "$results"

echo 'Building the solution'
"$dotnet" build Danube.Fast.sln -c Release --nologo -v quiet --disable-build-servers || {
    echo 'The build failed.'
    echo '0 passed, 1 failed'
    exit 1
}

# run_tests RESULTS [ARGUMENT...]: all test projects with these arguments of 'dotnet test'.
run_tests() {
    into=$1
    shift
    "$dotnet" test Danube.Fast.sln -c Release --no-build --nologo -v quiet "-m:$projects_at_once" \
        --results-directory "$into" --logger 'trx;LogFilePrefix=results' --logger 'console;verbosity=minimal' "$@"
}

# all_of RESULTS: the test result files of one attempt in one.
all_of() { find "$1" -maxdepth 1 -name '*.trx' -exec cat {} + >"$1/all.trx.txt"; }

set --
if [ -n "$filter" ]; then
    set -- "$@" --filter "$filter"
fi
if [ -z "$filter$DANUBE_LONG" ]; then
    set -- "$@" --collect 'XPlat Code Coverage' --settings tests/coverage.runsettings
fi

status=0
run_tests "$results" "$@" || status=$?
all_of "$results"
set -- attempt=1 "$results/all.trx.txt"

again='' refusal=''
if [ "$status" -ne 0 ] && [ -z "$filter" ]; then
    projects=$(find tests -mindepth 2 -maxdepth 2 -name '*.Tests.csproj' | wc -l)
    refusal=$(awk -v audited=tests/audited.txt -v "projects=$projects" -f tests/trx.awk -f tests/second.awk "$@")
    case $refusal in
        FullyQualifiedName=*)
            echo "Second attempt: $refusal"
            again=0
            mkdir -p "$results/second"
            run_tests "$results/second" --filter "$refusal" || again=$?
            all_of "$results/second"
            set -- "$@" attempt=2 "$results/second/all.trx.txt"
            refusal=''
            ;;
    esac
fi

coverage=0
if [ -z "$filter$DANUBE_LONG" ]; then
    find "$results" -name '*.info' -exec cat {} + | awk -v "root=$root/" -f tests/coverage.awk || coverage=1
fi

if [ -s "$DANUBE_COUNTS" ]; then
    echo 'What was tried:'
    sed 's/^/  /' "$DANUBE_COUNTS"
fi

awk -v "root=$root" -v "status=$status" -v "again=$again" -v "refusal=$refusal" -v "coverage=$coverage" -f tests/trx.awk -f tests/summary.awk "$@"
