using System.Runtime.CompilerServices;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// Frames of one connection by type. Received ones are counted by the receive loop alone; sent ones by whoever sends, once per
/// call. Runs on: as said. Shared with: metrics.
/// </summary>
internal sealed class FrameCounters
{
    public const int Types = 32;

    private Totals _received;
    private Totals _sent;

    public void OnReceived(FrameType type) => Volatile.Write(ref _received[(int)type & (Types - 1)], _received[(int)type & (Types - 1)] + 1);

    public void OnSent(FrameType type) => Interlocked.Increment(ref _sent[(int)type & (Types - 1)]);

    /// <summary>Counts every frame of a piece that the engine sends (whole frames).</summary>
    public void OnSent(ReadOnlySpan<byte> frames)
    {
        while (frames.Length >= ProtocolLimits.HeaderSize)
        {
            var header = new StreamHeader(frames);
            OnSent(header.Type);
            long length = header.FrameLength;
            if (length > frames.Length)
            {
                return;
            }

            frames = frames[(int)length..];
        }
    }

    public long Received(FrameType type) => Volatile.Read(ref _received[(int)type]);

    public long Sent(FrameType type) => Volatile.Read(ref _sent[(int)type]);

    /// <summary>Adds the counts of a connection that is gone.</summary>
    public void Add(FrameCounters other)
    {
        for (int i = 0; i < Types; i++)
        {
            Interlocked.Add(ref _received[i], Volatile.Read(ref other._received[i]));
            Interlocked.Add(ref _sent[i], Volatile.Read(ref other._sent[i]));
        }
    }

    [InlineArray(Types)]
    private struct Totals
    {
        private long _first;
    }
}
