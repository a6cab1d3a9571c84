using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// The protocol of one connection. All frames of a received piece are handled before one flush; publish frames of one channel
/// that follow each other are handed to the engine as one run. Runs on: the receive loop of its connection (inline on the
/// thread that received). Shared with: engine threads, as <see cref="Core.IFrameSink"/>; the connection table's timer.
/// </summary>
internal sealed partial class Session
{
    private const int MaxDiscardedBytes = 1 << 20;
    private const int LingerMs = 2000;
    private const int DrainPollMs = 10;

    // A connection that always has more to read gives its thread to others after so many bytes.
    private const int MaxBytesPerTurn = 2 * 1024 * 1024;

    private readonly Connection _connection;
    private readonly SendQueue _output;
    private readonly SessionServices _services;
    private readonly ChannelTable _channels;
    private readonly FrameCounters _counters = new();
    private readonly long _acceptedMs = Environment.TickCount64;
    private int _maxFrame = ProtocolLimits.MaxFrameBeforeHello;
    private volatile bool _isStream;
    private volatile bool _helloDone;
    private volatile bool _greeted;
    private volatile bool _ending;
    private long _endBeforeMs = long.MaxValue;
    private string _closeReason = "the peer ended the connection";

    public Session(Connection connection, SessionServices services)
    {
        _connection = connection;
        _output = connection.Output;
        _services = services;
        _channels = new ChannelTable(services.Options.Limits.MaxChannelsPerConnection);
    }

    public Connection Connection => _connection;
    public FrameCounters Counters => _counters;

    /// <summary>Open channels (producers and consumers).</summary>
    public int ChannelCount => _channels.Count;

    /// <summary>True while a producer is open, so that acknowledgements may still have to be sent.</summary>
    public bool HasProducers => Array.Exists(_channels.ToArray(), c => c.Producer is not null);

    /// <summary>Receives until the connection ends. Never throws.</summary>
    public async Task RunAsync()
    {
        Log.Accepted(_services.Log, _connection.Id, _connection.RemoteEndPoint);
        try
        {
            if (await ReceiveAsync())
            {
                await DiscardAsync();
            }
            else
            {
                await SendRestAsync();
            }
        }
        catch (Exception e)
        {
            _closeReason = "of an internal error";
            Log.ConnectionFailed(_services.Log, e, _connection.Id);
        }
        finally
        {
            _ending = true;
            foreach (Channel channel in _channels.ToArray())
            {
                CloseQuietly(channel);
            }

            LeaveDirectory();

            _connection.Dispose();
            Log.ConnectionClosed(_services.Log, _connection.Id, _connection.SendFailure is { } failure and not SendFailure.Closed ? failure.ToString() : _closeReason);
        }
    }

    /// <summary>True when the connection was refused and what the peer still sends is to be thrown away.</summary>
    private async Task<bool> ReceiveAsync()
    {
        PipeReader input = _connection.Input;
        bool first = true;
        int wanted = 1;
        long turn = 0;
        while (true)
        {
            ValueTask<ReadResult> read = input.ReadAtLeastAsync(wanted);
            turn = read.IsCompleted ? turn : 0;
            ReadResult result = await read;
            NotePiece();

            // One segment, whatever was received: that is what the transport is for. Headers are stamped in it.
            Memory<byte> bytes = MemoryMarshal.AsMemory(result.Buffer.First);
            int consumed = 0;
            if (first && bytes.Length > 0)
            {
                first = false;
                ChooseProtocol(bytes.Span[0]);
            }

            while (!_ending)
            {
                Step step = _lines is null ? ProcessCounted(bytes, ref consumed, out wanted) : ProcessLines(bytes.Span, result.IsCompleted, ref consumed, out wanted);
                if (step == Step.NeedMore)
                {
                    break;
                }

                // What was answered so far must not wait for what comes now.
                _output.Flush();
                consumed = await FinishStepAsync(step, bytes, consumed);
            }

            _output.Flush();
            input.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.End);
            if (result.IsCompleted || _ending)
            {
                return !result.IsCompleted;
            }

            // "At least" counts from the first unconsumed byte: ask for more than is there.
            wanted = Math.Max(wanted, bytes.Length - consumed + 1);
            turn += consumed;
            if (turn >= MaxBytesPerTurn)
            {
                turn = 0;
                await Task.Yield();
            }
        }
    }

    private async ValueTask<int> FinishStepAsync(Step step, Memory<byte> bytes, int consumed)
    {
        if (step == Step.Request)
        {
            int length = _lines is null ? _scanned.Length : _lineLength;
            await (_lines is null ? HandleEnvelopeAsync(bytes.Slice(consumed, length)) : HandleLineAsync(bytes.Slice(consumed, length)));
            return consumed + length;
        }

        await WaitForRoomAsync();
        return consumed;
    }

    /// <summary>After an error frame: reads on for a moment, so that closing does not destroy the frame on its way to the peer.</summary>
    private async Task DiscardAsync()
    {
        PipeReader input = _connection.Input;
        long discarded = 0;
        while (discarded < MaxDiscardedBytes)
        {
            ReadResult result = await input.ReadAsync();
            discarded += result.Buffer.Length;
            input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>The peer has ended its half: what was answered before still goes out.</summary>
    private async Task SendRestAsync()
    {
        await EndCreationsAsync();
        await AnswerOpenPublishesAsync();
        End();
        while (_output.BytesQueued > 0 && _connection.SendFailure is null && Environment.TickCount64 < Volatile.Read(ref _endBeforeMs))
        {
            await Task.Delay(DrainPollMs);
        }
    }

    /// <summary>Why <see cref="Process"/> stopped.</summary>
    private enum Step
    {
        NeedMore,

        /// <summary>A version-1 frame or a JSON line lies at the position: it may take a while.</summary>
        Request,

        /// <summary>The log of a run needs a moment.</summary>
        WaitForRoom,
    }
}
