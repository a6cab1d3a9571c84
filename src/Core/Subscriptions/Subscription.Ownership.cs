using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Acknowledgements that came while the owner could not prove itself. They wait in the order they came; all under the lock.
public sealed partial class Subscription
{
    // A consumer that goes on acknowledging meanwhile must not fill the memory.
    private const int MaxHeldAcks = 4096;
    private const int MaxHeldBytes = 1024 * 1024;

    private List<(Consumer Consumer, byte[] Frame)>? _heldAcks;
    private int _heldBytes;

    /// <summary>Acknowledgements that wait for the owner's proof.</summary>
    public int HeldAcks
    {
        get
        {
            lock (Gate)
            {
                return _heldAcks?.Count ?? 0;
            }
        }
    }

    private bool IsOwned => Topic.Log.Gate is not null;

    internal void BeginAt(uint epoch)
    {
        lock (Gate)
        {
            Cursor.Epoch = epoch;
        }
    }

    /// <summary>The owner can prove itself again: what waited counts now, and delivery goes on.</summary>
    internal void OnProven()
    {
        uint? raised;
        lock (Gate)
        {
            raised = ApplyHeldAcks();
        }

        FinishTakeover(raised);
        _dispatcher.Schedule();
    }

    /// <summary>The owner could not prove itself for too long: whoever waits for an acknowledgement to count, or all, are told to find the owner.</summary>
    internal void RefuseUnproven(string text, bool all)
    {
        uint? raised;
        lock (Gate)
        {
            HashSet<Consumer> leaving = [.. _heldAcks?.Select(h => h.Consumer) ?? [], .. all ? _consumers : []];
            DropHeldAcks();
            foreach (Consumer consumer in leaving.Where(c => c.IsAttached))
            {
                Leave(consumer);
                consumer.Sink.CloseChannel(consumer.Channel, ErrorCode.OwnerUnproven, text);
            }

            raised = TakeOver();
        }

        // What they held goes to those that stay.
        FinishTakeover(raised);
        _dispatcher.Schedule();
    }

    private ErrorCode HoldAck(Consumer consumer, in AckFrame frame)
    {
        if (!consumer.IsAttached)
        {
            return ErrorCode.None;
        }

        List<(Consumer, byte[])> held = _heldAcks ??= [];
        if (held.Count == MaxHeldAcks || _heldBytes + frame.Bytes.Length > MaxHeldBytes)
        {
            return ErrorCode.OwnerUnproven;
        }

        held.Add((consumer, frame.Bytes.ToArray()));
        _heldBytes += frame.Bytes.Length;
        return ErrorCode.None;
    }

    /// <returns>An epoch to finish outside the lock: a consumer had to leave, and another one took over.</returns>
    private uint? ApplyHeldAcks()
    {
        if (_heldAcks is not { } held)
        {
            return null;
        }

        DropHeldAcks();
        foreach ((Consumer consumer, byte[] frame) in held)
        {
            ErrorCode error = OnAckLocked(consumer, new AckFrame(frame));
            if (error != ErrorCode.None && consumer.IsAttached)
            {
                Leave(consumer);
                consumer.Sink.CloseChannel(consumer.Channel, error, "An acknowledgement that waited for the owner's proof names what was not delivered.");
            }
        }

        return TakeOver();
    }

    private void DropHeldAcks()
    {
        _heldAcks = null;
        _heldBytes = 0;
    }
}
