namespace Danube.Fast.Core;

// Records that came back more often than the rules allow. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    private readonly DeadLetterQueue _dying;
    private (long First, long End) _blocked;

    /// <summary>Why nothing is delivered, by the name that the control plane shows; null when it is.</summary>
    public string? Blocked => _dying.HasFailed ? "dead_letter_failed" : IsBlockedByLimit || _blockedKeys.Count > 0 ? "redelivery_limit" : null;

    private bool IsBlockedByLimit => _blocked.First < _blocked.End && Cursor.NextUnacknowledged(_blocked.First) < _blocked.End;

    /// <summary>The rules have changed: what was decided under the former ones is decided anew.</summary>
    public void OnRulesChanged()
    {
        _blocked = default;
        Cursor.Redeliveries.Unmark(ReturnReason.DeadLetterCircle);
        foreach (DyingRange range in _dying.TakeBack())
        {
            if (range.Key is null)
            {
                Requeue(range.First, range.End, 0);
            }
            else
            {
                range.Key.IsDying = false;
                TakeBack(range.Key, range.First, range.End);
                Resume(range.Key);
            }
        }

        UnblockKeys(all: true);
        RetryKeysThatWait();
    }

    /// <summary>A dead letter has been acknowledged.</summary>
    public void OnSettled(ActiveKey? key)
    {
        if (key is not null)
        {
            key.IsDying = false;
            Resume(key);
        }

        RetryKeysThatWait();
    }

    /// <summary>There is room in the dead-letter queue, or it does not matter any more: keys that waited for it are looked at again.</summary>
    private void RetryKeysThatWait()
    {
        _redistribute |= _keysWaitForDying;
        _keysWaitForDying = false;
    }

    /// <summary>True when the rules have something else for the record at <paramref name="first"/> than to deliver it; <paramref name="end"/> is cut to those like it.</summary>
    private bool IsBeyondLimit(long first, ref long end)
    {
        if (Cursor.Redeliveries.Count == 0)
        {
            return false;
        }

        int count = Cursor.RedeliveriesOf(first, out long uniform);
        end = Math.Min(end, uniform);
        return count > 0 && _subscription.Applies(first, count);
    }

    /// <summary>Applies the rules to [first, end), whose records all came back too often. False: nothing can be done now.</summary>
    private bool ApplyLimit(long first, ref long end, ActiveKey? key)
    {
        if (_dying.Holds(first, out long heldEnd))
        {
            end = Math.Min(end, heldEnd);
            return true;
        }

        end = _dying.NextHeld(first, Cursor.NextAcknowledged(first, end));
        switch (_subscription.Rules.FailurePolicy)
        {
            case FailurePolicy.Drop:
                long discarded = _subscription.AcknowledgeUnseen(first, end);
                _topic.Counters.OnDiscarded(discarded);
                _subscription.Counters.OnPassedOver(discarded);
                return true;
            case FailurePolicy.DeadLetter when !_dying.IsFull:
                _dying.Add(new DyingRange(first, end, Cursor.Redeliveries.At(first, out _), Cursor.Redeliveries.ReasonAt(first), key));
                return true;
            case FailurePolicy.Block when key is null:
                _blocked = (first, end);
                return false;
            default:
                return false;
        }
    }
}
