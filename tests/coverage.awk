# Line coverage of src from lcov records of all test projects: a line counts as covered when any of them ran it.
BEGIN {
    threshold["src"] = 85
    threshold["Protocol"] = 90
    threshold["Core"] = 90
    threshold["Wal"] = 90
    threshold["LoadManager"] = 90
}

/^SF:/ {
    file = substr($0, 4)
    project = ""
    if (index(file, root "src/") == 1) {
        project = substr(file, length(root "src/") + 1)
        sub(/\/.*/, "", project)
    }
}

/^DA:/ && project != "" {
    split(substr($0, 4), part, ",")
    line = file ":" part[1]
    if (!(line in seen)) {
        seen[line] = 1
        total[project]++
        total["src"]++
    }
    if (part[2] > 0 && !(line in hit)) {
        hit[line] = 1
        covered[project]++
        covered["src"]++
    }
}

function show(name,    rate) {
    rate = 100 * covered[name] / total[name]
    printf "  %-12s %6.1f %%  of %6d lines", name, rate, total[name]
    if (name in threshold) {
        printf "   at least %d %% needed%s", threshold[name], rate < threshold[name] ? ": NOT REACHED" : ""
        if (rate < threshold[name]) below = 1
    }
    printf "\n"
    return 1
}

END {
    print "Line coverage:"
    if (!("src" in total)) {
        print "  nothing was measured"
        exit 1
    }
    known = split("Protocol Core Wal Metadata LoadManager Server Client Cli AdminCli", order, " ")
    for (i = 1; i <= known; i++) if (order[i] in total) shown[order[i]] = show(order[i])
    for (name in total) if (name != "src" && !(name in shown)) show(name)
    show("src")
    exit below
}
