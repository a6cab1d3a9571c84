using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Danube.Fast.Client;

/// <summary>The W3C context of a batch: that of the activity that was current when its first message came.</summary>
internal struct BatchTrace
{
    private const int TraceIdBytes = 16, SpanIdBytes = 8;

    private Bytes _bytes;
    private bool _present;

    public bool IsSampled { get; private set; }

    [UnscopedRef]
    public readonly ReadOnlySpan<byte> TraceId => _present ? ((ReadOnlySpan<byte>)_bytes)[..TraceIdBytes] : default;

    [UnscopedRef]
    public readonly ReadOnlySpan<byte> SpanId => _present ? ((ReadOnlySpan<byte>)_bytes)[TraceIdBytes..] : default;

    public void Capture()
    {
        Activity? activity = Activity.Current;
        if (activity is null || activity.IdFormat != ActivityIdFormat.W3C)
        {
            return;
        }

        activity.TraceId.CopyTo(((Span<byte>)_bytes)[..TraceIdBytes]);
        activity.SpanId.CopyTo(((Span<byte>)_bytes)[TraceIdBytes..]);
        IsSampled = activity.Recorded;
        _present = true;
    }

    [InlineArray(TraceIdBytes + SpanIdBytes)]
    private struct Bytes
    {
        private byte _first;
    }
}
