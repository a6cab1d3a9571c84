using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;

namespace Danube.Fast.Server.Sessions;

/// <summary>A session whose peer speaks JSON lines: one envelope per line. Only the reading differs, and what has no frame of its own.</summary>
internal sealed partial class Session
{
    // So many bad lines in a row are not a typing error.
    private const int MaxBadLines = 10;
    private const int KeepAliveSeconds = 15, KeepAliveProbeSeconds = 5, KeepAliveProbes = 3;

    private PeerCodec _codec = FrameCodec.Instance;
    private LinePump? _lines;
    private int _lineSearched;
    private int _lineLength;
    private int _badLines;

    /// <summary>Sends a line of a consumer. Long ones by reference: they do not count as small frames. By the pump.</summary>
    public void SendLine(byte[] line)
    {
        _counters.OnSent(FrameType.Event, PayloadEncoding.Json);
        _output.Send(default, new Core.LogRun(line, LineMemory.Owner));
    }

    private void BeginLines()
    {
        LimitOptions limits = _services.Options.Limits;
        _codec = LineCodec.Instance;
        _lines = new LinePump(this, _output, limits.SendQueueRunBytes, Math.Max(limits.MaxFrameBytes, ProtocolLimits.DefaultMaxFrame));
        _maxFrame = limits.MaxFrameBytes;
        _helloDone = true;
        _connection.KeepAlive(KeepAliveSeconds, KeepAliveProbeSeconds, KeepAliveProbes);
    }

    /// <summary>Finds the next line that is not blank.</summary>
    private Step ProcessLines(ReadOnlySpan<byte> bytes, bool isEnd, ref int consumed, out int wanted)
    {
        wanted = 1;
        while (consumed < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[consumed..];
            int found = rest[_lineSearched..].IndexOf((byte)'\n');
            _lineLength = found >= 0 ? _lineSearched + found + 1 : rest.Length;
            if (_lineLength > _maxFrame)
            {
                RejectConnection(ErrorCode.FrameTooLarge, $"A line has at most {_maxFrame} bytes.");
                break;
            }

            // The last line of a stream may lack its line feed.
            if (found < 0 && !isEnd)
            {
                _lineSearched = rest.Length;
                break;
            }

            _lineSearched = 0;
            if (rest[.._lineLength].ContainsAnyExcept(" \t\r\n"u8))
            {
                return Step.Request;
            }

            consumed += _lineLength;
        }

        return Step.NeedMore;
    }

    private async ValueTask HandleLineAsync(ReadOnlyMemory<byte> line)
    {
        if (JsonLineCodec.TryDecode(line.Span, EnvelopeMode.Strict, _maxFrame, out Envelope? message, out ErrorCode error))
        {
            _badLines = 0;
            await HandleMessageAsync(message!, PayloadEncoding.Json, default);
            return;
        }

        (string sentence, string correlation) = LineFault.Describe(line.Span);
        if (++_badLines >= MaxBadLines)
        {
            RejectConnection(error, $"{sentence} Those were {MaxBadLines} bad lines in a row.");
            return;
        }

        SendErrorFrame(Commands.StreamError, "", correlation, error, sentence, null, null);
    }

    /// <summary>The peer has ended its half: publishes that wait for their answer get a moment.</summary>
    private async Task AnswerOpenPublishesAsync()
    {
        long before = Environment.TickCount64 + LingerMs;
        foreach (Channel channel in _channels.ToArray())
        {
            while (channel.Lines is LineProducer { HasOpen: true } && Environment.TickCount64 < before)
            {
                await Task.Delay(DrainPollMs);
            }
        }
    }
}
