using System.Text.Json;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>
/// Turns what the consumers of a JSON-lines session hold into lines, a turn each, as long as the send queue is short. So the
/// work is not done under a subscription's lock, and a peer that does not read costs no more than what its consumers hold.
/// No lost wake-up: who drains the queue kicks; a run that found the queue long looks again after it has given up its turn.
/// Runs on: the thread pool, one run at a time. Shared with: engine threads that schedule, the sender that drains.
/// </summary>
internal sealed class LinePump : IThreadPoolWorkItem
{
    private const int LongQueue = 256 * 1024;
    private const int BytesPerTurn = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<LineConsumer> _ready = new();
    private readonly Session _session;
    private readonly SendQueue _output;
    private readonly long _maxHeld;
    private bool _running;
    private long _held;

    /// <param name="session">Whose lines they are.</param>
    /// <param name="output">Where they go.</param>
    /// <param name="maxHeld">Bytes that all consumers of the session may hold; beyond it the peer is a slow consumer.</param>
    /// <param name="maxRawLength">Longest frame before compression, bytes.</param>
    public LinePump(Session session, SendQueue output, long maxHeld, int maxRawLength)
    {
        _session = session;
        _output = output;
        _maxHeld = maxHeld;
        Unpacked = new UnpackedFrame(maxRawLength);
        output.Drained = Kick;
    }

    /// <summary>The frame that is being read.</summary>
    public UnpackedFrame Unpacked { get; }

    /// <summary>Has a consumer looked at soon.</summary>
    public void Schedule(LineConsumer consumer)
    {
        lock (_gate)
        {
            if (!consumer.IsScheduled)
            {
                consumer.IsScheduled = true;
                _ready.Enqueue(consumer);
            }
        }

        Kick();
    }

    /// <summary>Books delivers that consumers hold. False when they are too many: then the connection ends.</summary>
    public bool OnHeld(int bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= _maxHeld)
        {
            return true;
        }

        _output.Close(SendFailure.TooMuchQueued);
        return false;
    }

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            Run();
        }
        catch (Exception e)
        {
            _session.Fail(e);
        }
    }

    private void Kick()
    {
        lock (_gate)
        {
            if (_running || _ready.Count == 0)
            {
                return;
            }

            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Run()
    {
        while (TakeReady() is { } consumer)
        {
            if (Write(consumer))
            {
                Schedule(consumer);
            }
        }

        _output.Flush();
        if (_output.BytesQueued < LongQueue)
        {
            Kick();
        }
    }

    private LineConsumer? TakeReady()
    {
        lock (_gate)
        {
            if (_ready.Count == 0 || _output.BytesQueued >= LongQueue)
            {
                _running = false;
                return null;
            }

            LineConsumer consumer = _ready.Dequeue();
            consumer.IsScheduled = false;
            return consumer;
        }
    }

    /// <summary>One turn. True when there is more.</summary>
    private bool Write(LineConsumer consumer)
    {
        int bytes = 0;
        consumer.LookForNewEpoch();
        while (bytes < BytesPerTurn)
        {
            if (consumer.TryNext() is not { } at)
            {
                consumer.Grant();
                return false;
            }

            byte[] line = Encode(consumer.Channel, at);
            consumer.OnWriting(at);
            _session.SendLine(line);
            bytes += line.Length;
        }

        consumer.Grant();
        return true;
    }

    private byte[] Encode(uint channel, DeliverCursor at)
    {
        MessageBody body = MessageBodies.Of(at.Header, at.Offset, at.Read(Unpacked), at.RedeliveryCount);
        body.Channel = channel;
        body.Epoch = at.Epoch;
        return LineCodec.Instance.Encode(new Envelope
        {
            Type = FrameType.Event,
            Id = Commands.Message,
            Source = Session.BrokerSource,
            Payload = JsonSerializer.SerializeToUtf8Bytes(body, LineCodec.Json.MessageBody),
        });
    }
}
