using System.Text;
using Danube.Fast.Wal;

namespace Danube.Fast.Metadata;

/// <summary>
/// The metadata on disk: one record file. A revision is in it entirely or not at all; entries with a lease are not in it, because
/// leases die with the process. The file snapshots itself (<see cref="RecordLog"/> rewrites it at four times its content).
/// Runs on: the store's writer. Shared with: nobody.
/// </summary>
internal sealed class MetadataFile : IDisposable
{
    private readonly RecordLog _log;

    private MetadataFile(RecordLog log, Dictionary<string, MetadataEntry> entries, long revision)
    {
        _log = log;
        Entries = entries.Values;
        Revision = revision;
    }

    /// <summary>What was in the file when it was opened.</summary>
    public IReadOnlyCollection<MetadataEntry> Entries { get; }

    /// <summary>The highest revision that the file knew of when it was opened.</summary>
    public long Revision { get; }

    public long DamagedBytes => _log.DamagedBytes;

    public long TornBytes => _log.TornBytes;

    /// <exception cref="InvalidDataException">A record is of a format that this program does not know.</exception>
    public static MetadataFile Open(string path, WalFileSystem files)
    {
        RecordLog log = RecordLog.Open(path, files);
        try
        {
            var entries = new Dictionary<string, MetadataEntry>(StringComparer.Ordinal);
            long revision = 0;
            MetadataRevision? redo = null;
            foreach ((byte[] key, byte[] record) in log.Entries)
            {
                if (key.AsSpan().SequenceEqual(RedoCodec.Key))
                {
                    redo = RedoCodec.Decode(record);
                    continue;
                }

                MetadataEntry entry = EntryCodec.Decode(Encoding.UTF8.GetString(key), record);
                revision = Math.Max(revision, entry.Revision);
                if (key.Length > 0)
                {
                    entries.Add(entry.Key, entry);
                }
            }

            // A later revision proves that the transaction before it was written whole, and has perhaps changed what that one wrote.
            if (redo is not null && redo.Revision >= revision)
            {
                revision = redo.Revision;
                Apply(redo, entries);
            }

            return new MetadataFile(log, entries, revision);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Makes a revision durable; on failure nothing of it stays.</summary>
    /// <param name="revision">The revision; its changes as they shall be afterwards.</param>
    /// <param name="before">What the entries of its keys were.</param>
    /// <exception cref="IOException">The disk refused; the revision is taken back.</exception>
    public void Write(MetadataRevision revision, IReadOnlyDictionary<string, MetadataEntry> before)
    {
        MetadataChange[] durable = [.. revision.Changes.Select(c => AsStored(c)).Where(c => c.Entry is not null || IsStored(before, c.Key))];
        bool countsItself = durable is [{ Entry: not null }];
        if (durable.Length > 1)
        {
            _log.Append(RedoCodec.Key, RedoCodec.Encode(revision with { Changes = durable }));
        }

        if (!countsItself)
        {
            // The revision goes first: a crash behind it leaves a gap in the count, never a count that went back.
            _log.Append([], EntryCodec.EncodeRevision(revision.Revision));
        }

        foreach (MetadataChange change in durable)
        {
            Store(change.Key, change.Entry);
        }

        try
        {
            _log.Sync();
        }
        catch (IOException)
        {
            // The next sync writes everything the log has in memory: what is not answered must not be in there.
            _log.Remove(RedoCodec.Key);
            foreach (MetadataChange change in durable)
            {
                Store(change.Key, IsStored(before, change.Key) ? before[change.Key] : null);
            }

            throw;
        }
    }

    public void Dispose() => _log.Dispose();

    private static MetadataChange AsStored(MetadataChange change) =>
        change.Entry is { LeaseId: not 0 } ? MetadataChange.Delete(change.Key) : change;

    private static bool IsStored(IReadOnlyDictionary<string, MetadataEntry> before, string key) =>
        before.TryGetValue(key, out MetadataEntry? entry) && entry.LeaseId == 0;

    private static void Apply(MetadataRevision redo, Dictionary<string, MetadataEntry> entries)
    {
        foreach (MetadataChange change in redo.Changes)
        {
            if (change.Entry is null)
            {
                entries.Remove(change.Key);
            }
            else
            {
                entries[change.Key] = change.Entry;
            }
        }
    }

    private void Store(string key, MetadataEntry? entry)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(key);
        if (entry is null)
        {
            _log.Remove(bytes);
        }
        else
        {
            _log.Append(bytes, EntryCodec.Encode(entry));
        }
    }
}
