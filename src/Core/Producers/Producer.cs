using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// One producer's channel on a topic. Made by <see cref="Topic.AttachProducer"/>.
/// Runs on: the receive loop of its connection (publishing). Shared with: whoever drains acknowledgements.
/// </summary>
public sealed class Producer
{
    private readonly Topic _topic;
    private int _closeSent;
    private volatile ErrorCode _refusal;
    private volatile string _refusalText = "";
    private long _unacknowledged;

    internal Producer(Topic topic, ulong id, uint channel, IFrameSink sink, ulong lastSequence)
    {
        _topic = topic;
        Id = id;
        Channel = channel;
        Sink = sink;
        LastSequence = lastSequence;
        LastStored = lastSequence;
        WindowBytes = Topic.WindowOf(topic.Options);
    }

    /// <summary>The producer id in its frames (<see cref="KeyHash.ProducerId"/> of the name).</summary>
    public ulong Id { get; }

    /// <summary>The handle on its connection.</summary>
    public uint Channel { get; }

    public IFrameSink Sink { get; }

    /// <summary>Last stored sequence when the producer was attached; 0 = none. Its first new frame starts one above.</summary>
    public ulong LastSequence { get; }

    /// <summary>Bytes of unacknowledged frames allowed on the way, as of when it was attached.</summary>
    public long WindowBytes { get; }

    /// <summary>Bytes of frames accepted and not yet acknowledged.</summary>
    public long UnacknowledgedBytes => Volatile.Read(ref _unacknowledged);

    /// <summary>Why frames are refused now; <see cref="ErrorCode.None"/> while the producer is open.</summary>
    public ErrorCode Refusal => _refusal;

    /// <summary>No more frames are taken, and what was taken is still acknowledged: the broker stops, or gives the topic to another one.</summary>
    internal bool IsFinishing => _refusal is ErrorCode.Draining or ErrorCode.NotOwner;

    /// <summary>Acknowledgements go out.</summary>
    internal bool MayFinish => _refusal == ErrorCode.None || IsFinishing;

    /// <summary>Last sequence stored through this object. Under the append lock.</summary>
    internal ulong LastStored { get; set; }

    /// <summary>Highest sequence acknowledged on the channel. By the draining thread only.</summary>
    internal ulong LastAcknowledged { get; set; }

    /// <summary>Ends the producer (its channel or connection is gone). Idempotent; frames that were accepted stay stored.</summary>
    public void Detach() => _topic.DetachProducer(this);

    /// <summary>A sentence for the error frame that goes with <see cref="Refusal"/>.</summary>
    public string RefusalText => _refusalText;

    internal void AddUnacknowledged(long bytes) => Interlocked.Add(ref _unacknowledged, bytes);

    /// <summary>Refuses all further frames. The first reason stays. Under the append lock.</summary>
    internal void Refuse(ErrorCode code, string text)
    {
        if (_refusal == ErrorCode.None)
        {
            _refusalText = text;
            _refusal = code;
        }
    }

    /// <summary>Sends the close frame of a refused producer once.</summary>
    internal void SendClose()
    {
        if (_refusal is not (ErrorCode.None or ErrorCode.UnknownChannel) && Interlocked.Exchange(ref _closeSent, 1) == 0)
        {
            Sink.CloseChannel(Channel, _refusal, _refusalText);
        }
    }
}
