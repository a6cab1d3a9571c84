using System.Diagnostics;
using System.Runtime.InteropServices;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// A publish frame from its first record to its acknowledgement, with the sends that wait for it. Filled under the producer's lock, sealed by
/// its pump, sent from where it lies. Runs on: as said. Shared with: the send queue, through the reference count.
/// </summary>
internal sealed class Batch : IDisposable
{
    private readonly BatchPool _pool;
    private readonly BatchWriter _writer;
    private byte[] _key = [];
    private int _keyLength, _references;
    private KeyState _keyState;
    private ulong _keyHash, _sealedSequence;
    private uint _sealedChannel, _delayMs;
    private long _publishTimeMicros;
    private Chunk _chunk;

    public Batch(BatchPool pool, int maxFrame)
    {
        _pool = pool;
        _writer = new BatchWriter(maxFrame, BatchPool.FirstBytes);
    }

    private enum KeyState : byte
    {
        None,
        One,
        Mixed,
    }

    public int Count => _writer.Count;

    /// <summary>Bytes of the frame so far, before compression and padding.</summary>
    public int Length => _writer.Length;

    /// <summary>The sealed frame with padding.</summary>
    public ArraySegment<byte> Frame { get; private set; }
    public ulong FirstSequence { get; set; }
    public ulong LastSequence => FirstSequence + (uint)Count - 1;
    public long OpenedTimestamp { get; private set; }
    public long SentTimestamp { get; private set; }

    /// <summary>Sends that wait for the acknowledgement, in order.</summary>
    public OperationList Operations;

    /// <summary>Messages that nobody waits for one by one.</summary>
    public int PostCount => Large is null ? Count - Operations.Count : Large.IsPost ? 1 : 0;

    /// <summary>Delay and time to live of its records. Set when it is opened.</summary>
    public FrameTiming Timing { get; set; }

    /// <summary>The sampled activity that all its messages were sent in; null when there is none. Its context travels in the header.</summary>
    public Activity? Context { get; set; }

    /// <summary>Bytes of the window that it may take while it is open.</summary>
    public long Reserved { get; set; }

    /// <summary>The message that this is a chunk of; null for a batch of records.</summary>
    public LargeMessage? Large { get; private set; }

    /// <summary>Set with the acknowledgement.</summary>
    public long FirstOffset { get; set; }

    /// <summary>The next settled batch on its way to its waiters.</summary>
    public Batch? Next { get; set; }

    /// <summary>Takes the batch into use with one reference.</summary>
    public void Begin()
    {
        _references = 1;
        OpenedTimestamp = Stopwatch.GetTimestamp();
    }

    public bool TryAppend(ReadOnlySpan<byte> payload)
    {
        if (_keyState == KeyState.One)
        {
            _keyState = KeyState.Mixed;
        }

        return _writer.TryAppend(payload);
    }

    public bool TryAppend(in OutgoingMessage message)
    {
        ReadOnlySpan<byte> key = message.Key.Span;
        if (message.HasKey)
        {
            NoteKey(key);
        }
        else if (_keyState == KeyState.One)
        {
            _keyState = KeyState.Mixed;
        }

        return _writer.TryAppend(message.HasKey, key, message.Attributes.Packed.Span, message.EventTimeMicros, message.Payload.Span);
    }

    /// <summary>Makes the batch the next chunk of a message.</summary>
    public void AppendChunk(LargeMessage large)
    {
        Large = large;
        Timing = large.Timing;
        Context = large.Context;
        _writer.TryAppendBare(large.TakeChunk(out _chunk));
    }

    /// <summary>True when all records have this key; an open batch of a producer that batches by key. None: all records have no key.</summary>
    public bool IsOfKey(bool hasKey, ulong hash, ReadOnlySpan<byte> key) => hasKey
        ? _keyState == KeyState.One && _keyHash == hash && key.SequenceEqual(_key.AsSpan(0, _keyLength))
        : _keyState == KeyState.None;

    /// <summary>Makes the frame fit to leave: everything at first, only the channel for a resend on another connection. Runs on: the pump.</summary>
    public void Seal(ulong producerId, ulong sequence, uint channel, Codec codec, TimeProvider time)
    {
        if (_sealedSequence == sequence)
        {
            if (_sealedChannel != channel)
            {
                _writer.ChangeChannel(channel);
                _sealedChannel = channel;
            }

            return;
        }

        // A frame that moved up behind a refused one keeps everything else.
        if (_publishTimeMicros == 0)
        {
            _publishTimeMicros = UnixMicros.Now(time);
            _delayMs = Timing.DelayAt(_publishTimeMicros);
            SentTimestamp = Stopwatch.GetTimestamp();
        }

        bool hasOneKey = Large is null ? _keyState == KeyState.One : Large.HasKey;
        ulong keyHash = Large is null ? _keyHash : Large.KeyHash;
        var fields = new PublishFields
        {
            Flags = _chunk.Flags | (hasOneKey ? FrameFlags.OneKey : FrameFlags.None) | (Context is not null ? FrameFlags.Sampled : FrameFlags.None),
            Attributes = _chunk.Index,
            RawLength = _chunk.MessageLength,
            ProducerId = producerId,
            Sequence = sequence,
            PublishTimeMicros = _publishTimeMicros,
            KeyHash = hasOneKey ? keyHash : 0,
            DelayMs = _delayMs,
            TimeToLiveSeconds = Timing.TimeToLiveSeconds,
        };
        MemoryMarshal.TryGetArray(Seal(fields, channel, codec), out ArraySegment<byte> segment);
        Frame = segment;
        _sealedSequence = sequence;
        _sealedChannel = channel;
    }

    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _pool.Return(this);
        }
    }

    /// <summary>Forgets the content; the buffers stay.</summary>
    public void Reset()
    {
        _writer.Reset();
        _keyState = KeyState.None;
        _sealedSequence = 0;
        _publishTimeMicros = 0;
        Context = null;
        _chunk = default;
        Large = null;
        Timing = default;
        Operations = default;
        Next = null;
        Frame = default;
    }

    public void Dispose() => _writer.Dispose();

    private ReadOnlyMemory<byte> Seal(in PublishFields fields, uint channel, Codec codec)
    {
        if (Context is null)
        {
            return _writer.Seal(fields, channel, codec);
        }

        Span<byte> traceId = stackalloc byte[16], spanId = stackalloc byte[8];
        Context.TraceId.CopyTo(traceId);
        Context.SpanId.CopyTo(spanId);
        return _writer.Seal(fields, channel, codec, traceId, spanId);
    }

    private void NoteKey(ReadOnlySpan<byte> key)
    {
        if (Count == 0)
        {
            if (_key.Length < key.Length)
            {
                _key = new byte[Math.Max(64, key.Length)];
            }

            key.CopyTo(_key);
            _keyLength = key.Length;
            _keyHash = KeyHash.Compute(key);
            _keyState = KeyState.One;
        }
        else if (_keyState == KeyState.One && !key.SequenceEqual(_key.AsSpan(0, _keyLength)))
        {
            _keyState = KeyState.Mixed;
        }
    }
}
