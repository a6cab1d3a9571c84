using System.Text;

namespace Danube.Fast.Metadata.Tests;

/// <summary>Applies what a view reports to a picture of its own, and checks the order.</summary>
internal sealed class ViewRecorder
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _entries = [];
    private long _revision;

    public string? Fault { get; private set; }

    public void Apply(MetadataRevision revision)
    {
        lock (_lock)
        {
            if (revision.Revision <= _revision || revision.Changes.Count == 0)
            {
                Fault ??= $"revision {revision.Revision} with {revision.Changes.Count} changes after {_revision}";
            }

            _revision = revision.Revision;
            foreach (MetadataChange change in revision.Changes)
            {
                if (change.Entry is null)
                {
                    Fault ??= _entries.Remove(change.Key) ? null : "delete of an unknown key " + change.Key;
                }
                else
                {
                    _entries[change.Key] = Encoding.UTF8.GetString(change.Entry.Value.Span);
                }
            }
        }
    }

    /// <summary>"key=value" in the order of the keys.</summary>
    public string Text()
    {
        lock (_lock)
        {
            return string.Join(' ', _entries.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value}"));
        }
    }
}
