# The end of a run's output, behind trx.awk: each failed test with its message and where it failed, then 'N passed, N failed'.
# root: folder that is left out of paths. status: exit code of the tests; again: that of the second attempt, empty when there was none;
# refusal: why there was none, or empty; coverage: exit code of what is checked besides. Ends with 1 when anything failed.
function block(title, a, i,    lines, n, k, shown) {
    print title failure[a, i] sprintf(" (%.1f s)", seconds[a, i])
    n = split(message[a, i], lines, "\n")
    for (k = 1; k <= n && k <= 8; k++) if (lines[k] != "") print "    " substr(lines[k], 1, 300)
    if (n > 8) print "    ..."
    n = split(frames[a, i], lines, "\n")
    for (k = 1; k <= n && shown < 4; k++) {
        # Asynchronous methods repeat themselves.
        if (lines[k] !~ /Danube\.Fast\./ || lines[k] == lines[k - 1]) continue
        at = index(lines[k], root "/")
        if (root != "" && at) lines[k] = substr(lines[k], 1, at - 1) substr(lines[k], at + length(root) + 1)
        sub(/^ */, "      ", lines[k])
        print lines[k]
        shown++
    }
}

END {
    good = passed[1] + 0
    bad = executed[1] - passed[1]
    skipped = total[1] - executed[1]
    for (i = 1; i <= failures[1]; i++) {
        name = failure[1, i]
        if (again != "" && state[2, name] == "Passed") {
            block("passed only at the second attempt: ", 1, i)
            second++
        } else if (i <= 8) {
            block(again != "" ? "failed twice: " : "failed: ", 1, i)
        } else {
            print "failed: " name
        }
    }
    for (i = 1; i <= failures[2]; i++) {
        # A row of a theory that is run again as a whole.
        if (state[1, failure[2, i]] == "Failed") continue
        block("failed at the second attempt only: ", 2, i)
        good--
        bad++
    }
    good += second
    bad -= second
    isRecovered = second && again == 0 && !broken[2]
    if (broken[1] || broken[2]) print "A test process said: " substr(broken[1] ? broken[1] : broken[2], 1, 300)
    if (refusal) print refusal
    if (good + bad == 0) {
        print "No test ran."
        status = 1
    } else if (!bad && (coverage || (status && !isRecovered))) {
        print "All tests that ended passed, but the run failed: see above."
    }
    print good " passed, " bad " failed" (skipped ? ", " skipped " skipped" : "") (second ? ", " second " at the second attempt" : "")
    exit (bad || coverage || (status && !isRecovered)) ? 1 : 0
}
