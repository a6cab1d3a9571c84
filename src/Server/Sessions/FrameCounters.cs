using System.Runtime.CompilerServices;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// Frames of one connection by type, and how many of them were not PLAIN: every stream frame is. Received ones are counted by the receive loop
/// alone; sent ones by whoever sends, once per call. Runs on: as said. Shared with: metrics.
/// </summary>
internal sealed class FrameCounters
{
    public const int Types = 32;

    private Totals _received;
    private Totals _sent;
    private long _jsonReceived, _gobReceived, _jsonSent, _gobSent;

    /// <summary>All frames received.</summary>
    public long AllReceived => Sum(ref _received);

    /// <summary>All frames sent.</summary>
    public long AllSent => Sum(ref _sent);

    /// <summary>A stream frame.</summary>
    public void OnReceived(FrameType type) => Volatile.Write(ref _received[(int)type & (Types - 1)], _received[(int)type & (Types - 1)] + 1);

    /// <summary>A version-1 frame or a line.</summary>
    public void OnReceived(FrameType type, PayloadEncoding encoding)
    {
        OnReceived(type);
        if (encoding == PayloadEncoding.Json)
        {
            Volatile.Write(ref _jsonReceived, _jsonReceived + 1);
        }
        else if (encoding == PayloadEncoding.Gob)
        {
            Volatile.Write(ref _gobReceived, _gobReceived + 1);
        }
    }

    /// <summary>A stream frame.</summary>
    public void OnSent(FrameType type) => Interlocked.Increment(ref _sent[(int)type & (Types - 1)]);

    /// <summary>A version-1 frame or a line.</summary>
    public void OnSent(FrameType type, PayloadEncoding encoding)
    {
        OnSent(type);
        if (encoding == PayloadEncoding.Json)
        {
            Interlocked.Increment(ref _jsonSent);
        }
        else if (encoding == PayloadEncoding.Gob)
        {
            Interlocked.Increment(ref _gobSent);
        }
    }

    /// <summary>Counts every frame of a piece that the engine sends (whole stream frames).</summary>
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

    public long ReceivedWith(PayloadEncoding encoding) => With(encoding, AllReceived, Volatile.Read(ref _jsonReceived), Volatile.Read(ref _gobReceived));

    public long SentWith(PayloadEncoding encoding) => With(encoding, AllSent, Volatile.Read(ref _jsonSent), Volatile.Read(ref _gobSent));

    /// <summary>Adds the counts of a connection that is gone.</summary>
    public void Add(FrameCounters other)
    {
        for (int i = 0; i < Types; i++)
        {
            Interlocked.Add(ref _received[i], Volatile.Read(ref other._received[i]));
            Interlocked.Add(ref _sent[i], Volatile.Read(ref other._sent[i]));
        }

        Interlocked.Add(ref _jsonReceived, Volatile.Read(ref other._jsonReceived));
        Interlocked.Add(ref _gobReceived, Volatile.Read(ref other._gobReceived));
        Interlocked.Add(ref _jsonSent, Volatile.Read(ref other._jsonSent));
        Interlocked.Add(ref _gobSent, Volatile.Read(ref other._gobSent));
    }

    private static long With(PayloadEncoding encoding, long all, long json, long gob) => encoding switch
    {
        PayloadEncoding.Json => json,
        PayloadEncoding.Gob => gob,
        _ => Math.Max(0, all - json - gob),
    };

    private static long Sum(ref Totals totals)
    {
        long sum = 0;
        for (int i = 0; i < Types; i++)
        {
            sum += Volatile.Read(ref totals[i]);
        }

        return sum;
    }

    [InlineArray(Types)]
    private struct Totals
    {
        private long _first;
    }
}
