using Danube.Fast.Cli.Terminal;
using Danube.Fast.Wal;

namespace Danube.Fast.Cli.Logs;

/// <summary>A data folder in lines of text.</summary>
internal static class LogText
{
    public static void WriteAll(TextWriter output, DirectoryPicture picture)
    {
        foreach (SlotPicture slot in picture.Slots)
        {
            output.WriteLine(slot.State == SlotState.Good
                ? $"checkpoint slot {slot.Index}: number {slot.Number}, incarnation {slot.Incarnation}, generations below {slot.GenerationReserve}, journal from {slot.TailLsn}, {Flags(slot)}, written {TimeText.Of(slot.Written)}"
                : $"checkpoint slot {slot.Index}: {(slot.State == SlotState.Empty ? "empty" : "unreadable")}");
        }

        output.WriteLine($"cursors.log: {picture.CursorFile.Bytes} bytes, {picture.CursorFile.Records} records, {picture.CursorFile.TornBytes} bytes behind the last one");
        output.WriteLine(Journal(picture.Journal));
        if (picture.DeletedLogs > 0)
        {
            output.WriteLine($"{Counted(picture.DeletedLogs, "deleted log")} whose files the next start removes");
        }

        foreach (LogPicture log in picture.Logs)
        {
            output.WriteLine();
            WriteLog(output, log);
        }
    }

    public static void WriteVerified(TextWriter output, DirectoryPicture picture)
    {
        var table = new TextTable("TOPIC", "SEGMENTS", "START", "END", "DURABLE", "BYTES READ", "TORN TAIL", "DAMAGED");
        foreach (LogPicture log in picture.Logs)
        {
            ScanPicture scan = log.Scan!;
            table.Add(log.TopicId, log.Segments.Count, log.LogStart, scan.End, log.DurableEnd, scan.ScannedBytes, scan.LeftBehindBytes, scan.Damages.Sum(d => d.To - d.From));
        }

        table.WriteTo(output);
        output.WriteLine(Journal(picture.Journal));
        output.WriteLine($"{Counted(picture.Logs.Count, "log")}, {picture.Logs.Sum(l => l.Scan!.ScannedBytes)} bytes read, {(picture.Faults.Count == 0 ? "all good" : Counted(picture.Faults.Count, "fault"))}");
    }

    private static void WriteLog(TextWriter output, LogPicture log)
    {
        output.WriteLine($"topic {log.TopicId}: start {log.LogStart}, durable end {log.DurableEnd}, {(log.IsClean ? "closed cleanly" : "not closed cleanly")}; producer snapshot: {log.Snapshot}");
        var segments = new TextTable("  SEGMENT", "BYTES", "GENERATION", "EPOCH", "CREATED");
        foreach (SegmentPicture segment in log.Segments)
        {
            segments.Add("  " + segment.Name, segment.Bytes, segment.HasHeader ? segment.Generation : segment.ForeignTopicId is { } other ? $"of topic {other}" : "no header", segment.Epoch, segment.HasHeader ? TimeText.Of(segment.Created) : "");
        }

        segments.WriteTo(output);
        foreach (CursorPicture cursor in log.Cursors)
        {
            output.WriteLine(cursor.State is { } state
                ? $"  subscription {cursor.Subscription}: acknowledged below {state.MarkDelete}, out of order up to {state.AcknowledgedEnd}, epoch {state.Epoch}, {state.Type}"
                : $"  subscription {cursor.Subscription}: {cursor.Bytes} bytes that cannot be read");
        }
    }

    private static string Journal(JournalPicture journal) => journal.State switch
    {
        JournalState.None => "journal: none",
        JournalState.Missing => "journal: missing",
        _ => $"journal: ring of {journal.Capacity} bytes, {(journal.Entries == 1 ? "1 entry" : $"{journal.Entries} entries")} to replay from {journal.Tail} up to {journal.Head}, {journal.DamagedBytes} bytes damaged",
    };

    private static string Counted(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static string Flags(SlotPicture slot) => slot.IsSuspect ? "suspect" : slot.IsClean ? "clean" : "not clean";
}
