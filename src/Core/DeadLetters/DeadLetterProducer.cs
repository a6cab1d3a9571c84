using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The engine's own producer on a dead-letter topic, one per source topic and subscription. It keeps the frames that are not confirmed;
/// after a failure those that the topic has stored are sent again unchanged and so recognised, the others are dropped and made anew.
/// Runs on: its writer's thread; acknowledgements come from the target's committer.
/// </summary>
internal sealed class DeadLetterProducer : IFrameSink, IDisposable
{
    private const int MaxUnconfirmed = 64;

    private readonly Subscription _subscription;
    private readonly Lock _lock = new();
    private readonly Queue<(ulong Sequence, long SourceEnd, byte[] Frame)> _unconfirmed = new();
    private readonly string _name;
    private DeadLetterTarget? _target;
    private string? _targetName;
    private ulong _confirmed;
    private string? _failure;
    private TaskCompletionSource? _waiting;

    public DeadLetterProducer(Subscription subscription)
    {
        _subscription = subscription;
        _name = ProducerNames.DeadLetter(subscription.Topic.Name, subscription.Name);
        Id = KeyHash.ProducerId(_name);
        Frames = new DeadLetterFrames(Id, subscription.Topic.Options.MaxFrameBytes);
    }

    public ulong Id { get; }

    /// <summary>Makes its frames.</summary>
    public DeadLetterFrames Frames { get; }

    /// <summary>Name of the topic that it is attached to.</summary>
    public string Target => _targetName!;

    /// <summary>Sequence of the next new frame.</summary>
    public ulong NextSequence { get; private set; } = 1;

    /// <summary>Attaches to the topic that the rules name, unless it is attached.</summary>
    public async ValueTask OpenAsync(CancellationToken cancellation)
    {
        Topic source = _subscription.Topic;
        string name = _subscription.Rules.DeadLetterTopicOf(source.Name);
        if (_target is { IsOpen: true } && _target.Name == name)
        {
            return;
        }

        Detach();
        ITopicResolver topics = source.Options.Topics ?? throw new InvalidOperationException("Here are no dead-letter topics.");
        lock (_lock)
        {
            (_confirmed, _failure) = (0, null);
        }

        DeadLetterTarget target = await topics.OpenElsewhereAsync(name, source, _name, this, cancellation).ConfigureAwait(false)
            ?? new LocalDeadLetterTarget(await topics.OpenOrCreateAsync(name, source, cancellation).ConfigureAwait(false), Id, this);
        if (_targetName != target.Name)
        {
            _unconfirmed.Clear();
        }

        (_target, _targetName) = (target, target.Name);
        NextSequence = target.LastSequence + 1;
        await ResendAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Source offset below which all of the range at hand is durable.</summary>
    public long SettledBelow { get; set; }

    /// <summary>Appends one frame; waits first when too many, or too many bytes, are not confirmed.</summary>
    /// <param name="frame">A sealed publish frame with <see cref="NextSequence"/>.</param>
    /// <param name="sourceEnd">Offset behind what it holds, in the source.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask PublishAsync(byte[] frame, long sourceEnd, CancellationToken cancellation)
    {
        await MakeRoomAsync(cancellation).ConfigureAwait(false);
        var header = new StreamHeader(frame);
        ulong end = header.Sequence + header.RecordCount;

        // Stamping changes the header, and a resend must be the frame as it was.
        _unconfirmed.Enqueue((end - 1, sourceEnd, [.. frame]));
        await _target!.AppendAsync(frame, cancellation).ConfigureAwait(false);
        NextSequence = end;
    }

    /// <summary>Completes when everything appended is durable.</summary>
    /// <exception cref="IOException">The topic has refused or lost it.</exception>
    public async ValueTask ConfirmAsync(CancellationToken cancellation)
    {
        while (_unconfirmed.Count > 0)
        {
            Task wait;
            lock (_lock)
            {
                while (_unconfirmed.TryPeek(out (ulong Sequence, long SourceEnd, byte[] Frame) oldest) && oldest.Sequence <= _confirmed)
                {
                    SettledBelow = _unconfirmed.Dequeue().SourceEnd;
                }

                if (_unconfirmed.Count == 0)
                {
                    return;
                }

                if (_failure is not null)
                {
                    throw new IOException(_failure);
                }

                _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _waiting.Task;
            }

            await wait.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    public void Detach()
    {
        _target?.Dispose();
        _target = null;
    }

    public void Dispose() => Detach();

    bool IFrameSink.Send(ReadOnlySpan<byte> frames)
    {
        Signal(new PublishAckFrame(frames).LastSequence, null);
        return true;
    }

    bool IFrameSink.Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        run.Owner.Release();
        return false;
    }

    void IFrameSink.Flush()
    {
        // Nothing is held back.
    }

    void IFrameSink.SendError(ErrorCode code, string message, uint channel, ulong? sequence) => Signal(0, message);

    void IFrameSink.CloseChannel(uint channel, ErrorCode code, string message) => Signal(0, message);

    private void Signal(ulong confirmed, string? failure)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            _confirmed = Math.Max(_confirmed, confirmed);
            _failure ??= failure;
            waiting = _waiting;
        }

        waiting?.TrySetResult();
    }

    private async ValueTask ResendAsync(CancellationToken cancellation)
    {
        // What was not stored is read and made again; what was is confirmed first, so that the two never mix.
        (ulong Sequence, long SourceEnd, byte[] Frame)[] stored = [.. _unconfirmed.Where(f => f.Sequence < NextSequence)];
        _unconfirmed.Clear();
        foreach ((ulong Sequence, long SourceEnd, byte[] Frame) frame in stored)
        {
            await MakeRoomAsync(cancellation).ConfigureAwait(false);
            _unconfirmed.Enqueue(frame);
            await _target!.AppendAsync([.. frame.Frame], cancellation).ConfigureAwait(false);
        }

        await ConfirmAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Keeps to the producer's window, as every producer has to: beyond it the topic refuses.</summary>
    private async ValueTask MakeRoomAsync(CancellationToken cancellation)
    {
        if (_unconfirmed.Count >= MaxUnconfirmed || !_target!.HasRoom)
        {
            await ConfirmAsync(cancellation).ConfigureAwait(false);
        }
    }
}
