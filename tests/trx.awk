# Reads files of test results (trx) for the scripts that come behind it with another -f. Files of the first attempt come after 'attempt=1' on the
# command line, those of a second one after 'attempt=2'. What it gives, by attempt:
#   runs, total, executed, passed     sums over the test projects
#   broken                            a message that is not about a failed test (a test process that crashed), the first one; else empty
#   failures, failure[attempt, i]     names of failed tests in their order; message, frames, seconds have the same index
#   state[attempt, name]              "Failed" when any result of that name failed, else "Passed"
function attribute(line, name,    at, rest) {
    at = index(line, " " name "=\"")
    if (!at) return ""
    rest = substr(line, at + length(name) + 3)
    return text(substr(rest, 1, index(rest, "\"") - 1))
}

function text(s) {
    gsub(/\r/, "", s)
    gsub(/&quot;/, "\"", s)
    gsub(/&apos;/, "'", s)
    gsub(/&lt;/, "<", s)
    gsub(/&gt;/, ">", s)
    gsub(/&#xD;/, "", s)
    gsub(/&#xA;/, " ", s)
    gsub(/&amp;/, "\\&", s)
    return s
}

# The inside of an element that began: its text up to the end tag, over as many lines as it takes.
function inside(tag,    line, all, end) {
    end = "</" tag ">"
    line = substr($0, index($0, "<" tag ">") + length(tag) + 2)
    all = ""
    while (!index(line, end)) {
        all = all line "\n"
        if ((getline line) <= 0) return text(all)
    }
    return text(all substr(line, 1, index(line, end) - 1))
}

/<TestRun / { runs[attempt]++ }

/<UnitTestResult / {
    name = attribute($0, "testName")
    if (attribute($0, "outcome") == "Failed") {
        state[attempt, name] = "Failed"
        n = ++failures[attempt]
        failure[attempt, n] = name
        split(attribute($0, "duration"), part, ":")
        seconds[attempt, n] = part[1] * 3600 + part[2] * 60 + part[3]
    } else if (!((attempt, name) in state)) {
        state[attempt, name] = attribute($0, "outcome")
    }
    next
}

# What a test printed may look like anything; it is passed over as a whole.
/<StdOut>/ { inside("StdOut"); next }
/<StdErr>/ { inside("StdErr"); next }
/<Message>/ { message[attempt, failures[attempt]] = inside("Message"); next }
/<StackTrace>/ { frames[attempt, failures[attempt]] = inside("StackTrace"); next }

/<RunInfo / { isError = attribute($0, "outcome") == "Error"; next }
/<Text>/ {
    # xUnit also reports each failed test this way.
    said = inside("Text")
    if (isError && !broken[attempt] && said !~ /^\[xUnit\.net [0-9:.]+\] .*\[FAIL\]$/) broken[attempt] = said
    next
}

/<Counters / {
    total[attempt] += attribute($0, "total")
    executed[attempt] += attribute($0, "executed")
    passed[attempt] += attribute($0, "passed")
}
