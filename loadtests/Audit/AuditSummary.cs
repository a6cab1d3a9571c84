using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>Rows of the auditor as a reader wants them: ten thousand good subscriptions are one row, each bad one has its own.</summary>
public static class AuditSummary
{
    /// <summary>Up to this many subscriptions each has its row.</summary>
    public const int MaxRows = 40;

    public static IReadOnlyList<AuditRow> Of(IEnumerable<AuditRow> rows)
    {
        AuditRow[] all = [.. rows];
        if (all.Length <= MaxRows)
        {
            return all;
        }

        AuditRow[] bad = [.. all.Where(r => !IsClean(r)).Take(MaxRows - 1)];
        AuditRow[] rest = [.. all.Where(r => !bad.Contains(r, ReferenceEqualityComparer.Instance))];
        return
        [
            new AuditRow(
                $"{rest.Length:N0} {(bad.Length > 0 ? "other " : "")}subscriptions", rest.Sum(r => r.Acknowledged), rest.Sum(r => r.Received), rest.Sum(r => r.Lost),
                rest.Sum(r => r.Invented), rest.Sum(r => r.OutOfOrder), rest.Sum(r => r.Duplicates), rest.Any(r => r.DuplicatesAllowed), rest.All(r => r.IsOrdered)),
            .. bad,
        ];
    }

    public static bool IsClean(AuditRow row) =>
        row.Lost == 0 && row.Invented == 0 && row.OutOfOrder == 0 && (row.Duplicates == 0 || row.DuplicatesAllowed);
}
