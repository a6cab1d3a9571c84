using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>From the offsets of a <c>$ack</c> or <c>$nack</c> to a frame of ranges.</summary>
internal static class LineAck
{
    /// <param name="wish">What the peer settles.</param>
    /// <param name="writtenEpoch">Epoch to take when the peer names none.</param>
    /// <param name="isNack">Which of both.</param>
    /// <param name="records">Offsets named, each once.</param>
    public static byte[] Build(AckRequest wish, uint writtenEpoch, bool isNack, out long records)
    {
        List<(long First, uint Count)> ranges = Ranges(wish.Offsets);
        records = ranges.Sum(r => (long)r.Count);
        byte[] frame = new byte[AckFrame.Measure(ranges.Count)];
        uint epoch = wish.Epoch ?? writtenEpoch;
        if (isNack)
        {
            AckFrame.BeginNack(frame, wish.Channel, wish.DelayMs is { } delay ? (ulong)delay : AckFrame.BackOffDelay, ranges.Count, epoch, NackReason.Rejected);
        }
        else
        {
            AckFrame.BeginAck(frame, wish.Channel, wish.Below ?? 0, ranges.Count, epoch);
        }

        for (int i = 0; i < ranges.Count; i++)
        {
            AckFrame.WriteRange(frame, i, ranges[i].First, ranges[i].Count);
        }

        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    private static List<(long First, uint Count)> Ranges(long[] offsets)
    {
        long[] sorted = [.. offsets.Distinct().Order()];
        var ranges = new List<(long First, uint Count)>();
        foreach (long offset in sorted)
        {
            if (ranges.Count > 0 && ranges[^1] is var last && last.First + last.Count == offset)
            {
                ranges[^1] = (last.First, last.Count + 1);
            }
            else
            {
                ranges.Add((offset, 1));
            }
        }

        return ranges;
    }
}
