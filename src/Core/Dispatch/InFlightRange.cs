namespace Danube.Fast.Core;

/// <summary>Records [First, End), all of them selected, sent in one deliver.</summary>
/// <param name="First">First offset.</param>
/// <param name="End">Offset behind the last.</param>
/// <param name="SelectedAt">The channel's count of selected records before the first.</param>
/// <param name="Key">Their key where keys matter.</param>
/// <param name="SentAt">When the deliver was queued, by the topic's clock of latencies; 0 when that is of no interest any more.</param>
internal readonly record struct InFlightRange(long First, long End, ulong SelectedAt, ActiveKey? Key = null, long SentAt = 0)
{
    /// <summary>Offset behind the last record that the application has taken, given the channel's count of taken records.</summary>
    public long TakenEnd(ulong taken) => taken <= SelectedAt ? First : First + (long)Math.Min((ulong)(End - First), taken - SelectedAt);

    /// <summary>The records [first, end) of it.</summary>
    public InFlightRange Part(long first, long end) => new(first, end, SelectedAt + (ulong)(first - First), Key, SentAt);
}
