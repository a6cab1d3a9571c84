# Sums the counters of all test result files. status: exit code of what ran before; not 0 makes the run fail even when no test did
# (a test process that crashed, coverage below its threshold).
match($0, /<Counters [^>]*>/) {
    counters = substr($0, RSTART, RLENGTH)
    passed += count("passed")
    # total covers every outcome, also those of tests that a crash kept from finishing.
    skipped += count("total") - count("executed")
    failed += count("executed") - count("passed")
}

function count(name,    at) {
    at = index(counters, " " name "=\"")
    return at ? substr(counters, at + length(name) + 3) + 0 : 0
}

END {
    if (passed + failed == 0) {
        print "No test ran."
        status = 1
    } else if (status && !failed) {
        print "All tests that ended passed, but the run failed: see above."
    }
    print passed + 0 " passed, " failed + 0 " failed" (skipped ? ", " skipped " skipped" : "")
    exit (status || failed) ? 1 : 0
}
