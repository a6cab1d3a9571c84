# Decides about a second attempt, behind trx.awk: prints the filter for it, or 'No second attempt: ' and the reason.
# audited: file with the names of the test classes that get none. projects: number of test projects that should have run.
function refuse(reason) {
    print "No second attempt: " reason
    exit
}

END {
    many = 3
    count = failures[1] + 0
    if (broken[1]) refuse("a test process had another error than failed tests.")
    if (runs[1] != projects || total[1] != executed[1]) refuse("not everything ran.")
    if (!count) refuse("no test failed, but the run did.")
    if (count > many) refuse(count " tests failed, more than " many ".")
    while ((getline line < audited) > 0) {
        sub(/[ \t]*(#.*)?$/, "", line)
        for (i = 1; line != "" && i <= count; i++) {
            if (index(failure[1, i], "." line ".")) refuse(failure[1, i] " is audited (tests/audited.txt).")
        }
    }
    for (i = 1; i <= count; i++) {
        # All rows of a theory have the name of its method.
        method = failure[1, i]
        sub(/\(.*/, "", method)
        if (!(method in asked)) filter = filter (filter ? "|" : "") "FullyQualifiedName=" method
        asked[method] = 1
    }
    print filter
}
