using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Buffers of one thread for building publish-ack frames. Rented, so that a nested use on the same thread gets its own.</summary>
internal sealed class AckScratch
{
    /// <summary>Entries in one publish-ack frame at most.</summary>
    public const int MaxEntries = 512;

    [ThreadStatic]
    private static AckScratch? _spare;

    private readonly SinkSet _sinks = new();

    public PendingAck[] Entries { get; } = new PendingAck[MaxEntries];

    public byte[] Frame { get; } = new byte[PublishAckFrame.Measure(MaxEntries)];

    public static AckScratch Rent()
    {
        AckScratch scratch = _spare ?? new AckScratch();
        _spare = null;
        return scratch;
    }

    public void Return() => _spare = this;

    public void Touch(IFrameSink sink) => _sinks.Add(sink);

    public void FlushSinks() => _sinks.Flush();
}
