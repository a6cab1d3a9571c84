namespace Danube.Fast.Core.Tests;

internal sealed partial class DeliveryModel
{
    /// <summary>Judges one deliver and enters it.</summary>
    public void Deliver(ModelClient client, SentDeliver deliver)
    {
        Assert.Equal(Epoch, deliver.Epoch);
        Assert.True(client.RecordsGranted > client.Position && client.BytesGranted > client.Bytes, "sent without credit");
        Assert.True(!IsOrdered || client == _active, $"{client.Name} stands by");
        foreach (long offset in deliver.Offsets)
        {
            ModelRecord record = Records[(int)offset];
            Assert.True(offset < Visible, $"{offset} is not visible");
            Assert.False(record.IsAcknowledged, $"{offset} was acknowledged");
            if (record.Holder is not null)
            {
                Assert.True(record.Holder != client, $"{offset} is with this consumer already");
                TakeBackUntaken(record);
            }

            Assert.True(Now >= record.DueAt, $"{offset} comes {record.DueAt - Now} ms too early");
            Assert.True(record.Redeliveries == deliver.Redeliveries, $"{offset} came back {record.Redeliveries} times, not {deliver.Redeliveries}");
            JudgeOrder(client, record);
            (record.Holder, record.Position, record.SentAt, record.TakenAt, record.IsSeenInEpoch) = (client, client.Position++, Now, null, true);
            client.History.Add(offset);
        }

        client.Bytes += (ulong)deliver.Length;
        Assert.Equal((client.Position, client.Bytes), (deliver.SelectedInAll, deliver.BytesInAll));
    }

    /// <summary>Compares who holds what with the rings of the consumers.</summary>
    public void JudgeHeld(Cursor cursor)
    {
        foreach (ModelClient client in Clients)
        {
            var held = new HashSet<long>();
            foreach (InFlightRange range in client.Consumer.InFlight)
            {
                for (long offset = cursor.NextUnacknowledged(range.First); offset < range.End; offset = cursor.NextUnacknowledged(offset + 1))
                {
                    Assert.True(held.Add(offset), $"{offset} is twice with {client.Name}");
                }
            }

            Assert.Equal(held.Count, client.Consumer.InFlight.Unacknowledged);
            foreach (ModelRecord record in HeldBy(client).Where(r => !held.Remove(r.Offset)))
            {
                TakeBackUntaken(record);
                record.Holder = null;
            }

            Assert.Empty(held);
        }

        _returned.Clear();
    }

    private void JudgeOrder(ModelClient client, ModelRecord record)
    {
        for (int offset = 0; offset < record.Offset; offset++)
        {
            ModelRecord earlier = Records[offset];
            if (earlier.IsAcknowledged)
            {
                continue;
            }

            Assert.True(earlier.Key != record.Key || earlier.Holder == client, $"{record.Offset} overtakes {offset} of its key, or is with another consumer");
            Assert.True(!IsOrdered || earlier.IsSeenInEpoch, $"{record.Offset} leaves out {offset}");
        }
    }

    /// <summary>A record may be taken from a consumer that has not taken it for one timeout, and what follows of its key with it.</summary>
    private void TakeBackUntaken(ModelRecord record)
    {
        bool follows = record.Offset > _returned.GetValueOrDefault(record.Key, long.MaxValue);
        Assert.True(
            !IsOrdered && Clients.Count > 1 && (follows || (record.TakenAt is null && Now - record.SentAt >= timeoutMs)),
            $"{record.Offset} was taken from {record.Holder?.Name}");
        record.DueAt = 0;
        _returned[record.Key] = Math.Min(record.Offset, _returned.GetValueOrDefault(record.Key, long.MaxValue));
    }
}
