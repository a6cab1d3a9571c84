using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>
/// A consumer of a JSON-lines session: keeps a copy of what the engine delivers and gives it out record by record, as far as the
/// peer's credit goes. A record counts as taken when it was written out. Copies, because the log must not wait for somebody
/// who reads his terminal; bounded by the bytes granted to the engine.
/// Runs on: <see cref="Send(ReadOnlySpan{byte}, LogRun)"/> under the subscription's lock, <see cref="TryNext"/> on the pump,
/// settling on the receive loop. Shared with: each other, under its own lock, which is never held while the engine is called.
/// </summary>
internal sealed partial class LineConsumer(Session session, LinePump pump) : LineChannel(session)
{
    /// <summary>Records that may be unsettled before the peer grants more.</summary>
    public const int Window = 100;

    private const int BytesAhead = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _waiting = new();
    private Consumer? _consumer;
    private DeliverCursor? _current;
    private long _granted = Window;
    private long _written;
    private ulong _passed;
    private ulong _bytesPassed;
    private uint _newestEpoch;
    private bool _closed;

    /// <summary>True while it waits for a turn. Under the pump's lock.</summary>
    public bool IsScheduled { get; set; }

    /// <summary>Channel of the consumer on its connection.</summary>
    public uint Channel => _consumer!.Channel;

    /// <summary>Epoch of the last record that was written out; before the first one that of the subscription.</summary>
    public uint WrittenEpoch { get; private set; }

    /// <summary>Lets the engine deliver. After the reply to subscribe is on its way.</summary>
    public void Start(Consumer consumer)
    {
        WrittenEpoch = consumer.Epoch;
        Volatile.Write(ref _consumer, consumer);
        Grant();
    }

    public override bool Send(ReadOnlySpan<byte> frames) => true;

    public override bool Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        byte[] deliver = new byte[prefix.Length + run.Bytes.Length];
        prefix.CopyTo(deliver);
        run.Bytes.Span.CopyTo(deliver.AsSpan(prefix.Length));
        run.Owner.Release();
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            NoteEpoch(new DeliverFrame(deliver).SubscriptionEpoch);
            _waiting.Enqueue(deliver);
        }

        return pump.OnHeld(deliver.Length);
    }

    public override void Flush() => pump.Schedule(this);

    /// <summary>With no credit left the engine would send nothing that tells of the new epoch, and the peer nothing that makes room.</summary>
    public override void OnEpochRaised()
    {
        if (Volatile.Read(ref _consumer) is not null)
        {
            pump.Schedule(this);
        }
    }

    /// <summary>Records that the peer will take beyond those it has.</summary>
    public void AddCredit(int records)
    {
        lock (_gate)
        {
            _granted += records;
        }

        Grant();
        pump.Schedule(this);
    }

    /// <summary>The peer has settled records: as many may follow, up to the window.</summary>
    public void Renew(long records)
    {
        lock (_gate)
        {
            _granted = Math.Max(_granted, Math.Min(_granted + records, _written + Window));
        }

        Grant();
        pump.Schedule(this);
    }

    /// <summary>
    /// Asks for the epoch before a turn: after a seek the engine delivers nothing new until what is held here was passed, so the news must not be
    /// waited for. By the pump.
    /// </summary>
    public void LookForNewEpoch()
    {
        uint epoch = _consumer!.Epoch;
        lock (_gate)
        {
            NoteEpoch(epoch);
        }
    }

    /// <summary>A new epoch forgets what was open: the peer has the whole window again. Under the lock.</summary>
    private void NoteEpoch(uint epoch)
    {
        if ((int)(epoch - _newestEpoch) > 0)
        {
            _newestEpoch = epoch;
            _granted = Math.Max(_granted, _written + Window);
        }
    }

    /// <summary>The next record to write out, as a cursor that stands on it; null when there is none or no credit for it. By the pump.</summary>
    public DeliverCursor? TryNext()
    {
        while (true)
        {
            if (_current is null && !TakeDelivery())
            {
                return null;
            }

            DeliverCursor current = _current!;
            bool hasCredit, stale;
            lock (_gate)
            {
                stale = _closed || (int)(_newestEpoch - current.Epoch) > 0;
                hasCredit = _granted > _written;
            }

            if (stale)
            {
                Finish(current);
            }
            else if (!hasCredit)
            {
                return null;
            }
            else if (current.MoveNext(pump.Unpacked))
            {
                return current;
            }
            else if (current.Fault is { } fault)
            {
                OnFault(current, fault);
            }
            else
            {
                Finish(current);
            }
        }
    }

    /// <summary>The record that <see cref="TryNext"/> has shown goes to the peer now, who may settle it from here on. By the pump.</summary>
    public void OnWriting(DeliverCursor at)
    {
        WrittenEpoch = at.Epoch;
        lock (_gate)
        {
            _written++;
            _passed = at.SelectedBefore + at.Selected;
            _unwrittenFrom = at.Offset + 1;
        }
    }

    /// <summary>Tells the engine what was taken and what may follow.</summary>
    public void Grant()
    {
        if (Volatile.Read(ref _consumer) is not { } consumer)
        {
            return;
        }

        Span<byte> frame = stackalloc byte[ProtocolLimits.HeaderSize];
        lock (_gate)
        {
            CreditFrame.Write(frame, Channel, _passed + (ulong)(_granted - _written), _bytesPassed + BytesAhead, WrittenEpoch, _passed);
        }

        consumer.OnCredit(new CreditFrame(frame));
    }

    public override void OnClosed(ErrorCode code, string message)
    {
        lock (_gate)
        {
            _closed = true;
            foreach (byte[] deliver in _waiting)
            {
                pump.OnHeld(-deliver.Length);
            }

            _waiting.Clear();
        }

        // One that never started holds nothing.
        if (_consumer is not null)
        {
            pump.Schedule(this);
        }
    }

    private bool TakeDelivery()
    {
        lock (_gate)
        {
            if (!_waiting.TryDequeue(out byte[]? deliver))
            {
                return false;
            }

            _current = new DeliverCursor(deliver);
            _inHand = deliver;
            _unwrittenFrom = 0;
            return true;
        }
    }

    private void Finish(DeliverCursor delivery)
    {
        _current = null;
        pump.OnHeld(-delivery.Length);
        lock (_gate)
        {
            _inHand = null;
            _passed = delivery.SelectedInAll;
            _bytesPassed = delivery.BytesInAll;
        }
    }

    private void OnFault(DeliverCursor delivery, ErrorCode fault)
    {
        if (fault != ErrorCode.Undecodable)
        {
            Finish(delivery);
            Session.CloseChannel(Channel, fault, "A stored frame that was to be delivered is damaged; see the broker's log, and seek behind it.");
            _consumer!.Detach();
            return;
        }

        GiveBack(delivery, fault);
    }
}
