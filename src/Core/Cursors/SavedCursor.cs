namespace Danube.Fast.Core;

/// <summary>The outline of a cursor as a <see cref="CursorStore"/> keeps it, for tools.</summary>
/// <param name="Type">Type of the subscription.</param>
/// <param name="Epoch">Subscription epoch: one more with every seek.</param>
/// <param name="MarkDelete">All below this offset is acknowledged.</param>
/// <param name="AcknowledgedEnd">Highest offset behind an acknowledged one; <paramref name="MarkDelete"/> when none is acknowledged out of order.</param>
public readonly record struct SavedCursor(SubscriptionType Type, uint Epoch, long MarkDelete, long AcknowledgedEnd)
{
    /// <summary>Reads a saved state; false when it is of no known version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> state, out SavedCursor saved)
    {
        saved = default;
        if (!CursorCodec.TryRead(state, out Cursor? cursor, out SubscriptionType type))
        {
            return false;
        }

        saved = new SavedCursor(type, cursor.Epoch, cursor.MarkDelete, Math.Max(cursor.MarkDelete, cursor.AcknowledgedEnd));
        return true;
    }
}
