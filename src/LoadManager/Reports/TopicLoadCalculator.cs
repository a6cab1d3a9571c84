namespace Danube.Fast.LoadManager;

/// <summary>
/// Makes rates of counters. Each reader has a calculator of its own with its own earlier reading, so readers never disturb each other. A topic
/// that appears, or is opened anew, between two readings counts from 0; a first reading has no rates at all.
/// Runs on: one reader. Shared with: nobody.
/// </summary>
public sealed class TopicLoadCalculator(TimeProvider clock)
{
    private const double OverheadBytesPerMessage = 256;
    private const double BitsPerMegabit = 1_000_000 / 8.0;

    private readonly Dictionary<string, Earlier> _earlier = new(StringComparer.Ordinal);
    private long[] _window = [];
    private long[] _all = [];
    private long _at;
    private int _round;

    /// <summary>Loads since the previous call, from one sample of each topic.</summary>
    public TopicLoads Next(IEnumerable<TopicSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        long now = clock.GetTimestamp();
        TimeSpan window = _round == 0 ? TimeSpan.Zero : clock.GetElapsedTime(_at, now);
        bool hasRates = window > TimeSpan.Zero;
        _at = now;
        _round++;
        _all.AsSpan().Clear();

        var loads = new List<TopicLoad>(_earlier.Count);
        var weights = new List<double>(_earlier.Count);
        double total = 0;
        ReadOnlyMemory<double> bounds = default;
        foreach (TopicSample sample in samples)
        {
            Earlier earlier = EarlierOf(sample.Name);
            bool isReset = earlier.Opening != sample.Opening || sample.MessagesIn < earlier.MessagesIn || sample.MessagesOut < earlier.MessagesOut
                || sample.BytesIn < earlier.BytesIn || sample.BytesOut < earlier.BytesOut;
            if (isReset)
            {
                earlier.Reset();
            }

            double weight = 0;
            loads.Add(hasRates ? WithRates(sample, earlier, window.TotalSeconds, out weight) : WithoutRates(sample));
            weights.Add(weight);
            total += weight;
            bounds = sample.Latency.UpperBoundsMs.IsEmpty ? bounds : sample.Latency.UpperBoundsMs;
            earlier.Keep(sample, _round);
        }

        ForgetGone(loads.Count);
        for (int i = 0; i < loads.Count && total > 0; i++)
        {
            loads[i] = loads[i] with { LoadShare = weights[i] / total };
        }

        loads.Sort(HeaviestFirst);
        return new TopicLoads { Topics = loads, Window = window, PublishP99Ms = hasRates ? LatencyWindow.Quantile(bounds.Span, _all, 0.99) : null };
    }

    private static int HeaviestFirst(TopicLoad a, TopicLoad b)
    {
        int order = a.StaysHere.CompareTo(b.StaysHere);
        order = order != 0 ? order : b.LoadShare.CompareTo(a.LoadShare);
        return order != 0 ? order : string.CompareOrdinal(a.TopicName, b.TopicName);
    }

    private static TopicLoad WithoutRates(in TopicSample sample) => new()
    {
        TopicName = sample.Name,
        ProducerCount = sample.Producers,
        ConsumerCount = sample.Consumers,
        SubscriptionCount = sample.Subscriptions,
        DiskSizeBytes = sample.WalBytes + sample.CloudBytes,
        WalSizeBytes = sample.WalBytes,
        CloudSizeBytes = sample.CloudBytes,
        OldestMessageAgeSec = (long)sample.OldestMessageAge.TotalSeconds,
        BacklogMessages = sample.BacklogMessages,
        StaysHere = sample.StaysHere,
    };

    private TopicLoad WithRates(in TopicSample sample, Earlier earlier, double seconds, out double weight)
    {
        long messagesIn = sample.MessagesIn - earlier.MessagesIn, messagesOut = sample.MessagesOut - earlier.MessagesOut;
        long bytesIn = sample.BytesIn - earlier.BytesIn, bytesOut = sample.BytesOut - earlier.BytesOut;
        weight = bytesIn + bytesOut + (OverheadBytesPerMessage * (messagesIn + messagesOut));
        long published = LatencyGain(sample.Latency, earlier);
        return WithoutRates(sample) with
        {
            MessageRate = (long)Math.Round(messagesIn / seconds),
            ByteRate = (long)Math.Round(bytesIn / seconds),
            ByteRateMbps = bytesIn / seconds / BitsPerMegabit,
            OutByteRate = (long)Math.Round(bytesOut / seconds),
            AvgLatencyMs = published > 0 ? (sample.Latency.SumMs - earlier.LatencySumMs) / published : 0,
            P99LatencyMs = LatencyWindow.Quantile(sample.Latency.UpperBoundsMs.Span, _window.AsSpan(0, sample.Latency.Counts.Length), 0.99) ?? 0,
        };
    }

    // The gain of each bucket into the window, and onto the sum of all topics.
    private long LatencyGain(in LatencySample latency, Earlier earlier)
    {
        ReadOnlySpan<long> counts = latency.Counts.Span;
        if (_window.Length < counts.Length)
        {
            _window = new long[counts.Length];
            Array.Resize(ref _all, counts.Length);
        }

        long published = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            long gain = Math.Max(0, counts[i] - (i < earlier.LatencyCounts.Length ? earlier.LatencyCounts[i] : 0));
            _window[i] = gain;
            _all[i] += gain;
            published += gain;
        }

        return published;
    }

    private Earlier EarlierOf(string name)
    {
        if (!_earlier.TryGetValue(name, out Earlier? earlier))
        {
            _earlier[name] = earlier = new Earlier();
        }

        return earlier;
    }

    private void ForgetGone(int present)
    {
        if (_earlier.Count == present)
        {
            return;
        }

        foreach (string gone in _earlier.Where(e => e.Value.Round != _round).Select(e => e.Key).ToArray())
        {
            _earlier.Remove(gone);
        }
    }

    private sealed class Earlier
    {
        public long Opening { get; private set; }
        public long MessagesIn { get; private set; }
        public long BytesIn { get; private set; }
        public long MessagesOut { get; private set; }
        public long BytesOut { get; private set; }
        public double LatencySumMs { get; private set; }
        public long[] LatencyCounts { get; private set; } = [];
        public int Round { get; private set; }

        public void Reset()
        {
            MessagesIn = BytesIn = MessagesOut = BytesOut = 0;
            LatencySumMs = 0;
            LatencyCounts.AsSpan().Clear();
        }

        public void Keep(in TopicSample sample, int round)
        {
            Opening = sample.Opening;
            MessagesIn = sample.MessagesIn;
            BytesIn = sample.BytesIn;
            MessagesOut = sample.MessagesOut;
            BytesOut = sample.BytesOut;
            LatencySumMs = sample.Latency.SumMs;
            if (LatencyCounts.Length != sample.Latency.Counts.Length)
            {
                LatencyCounts = new long[sample.Latency.Counts.Length];
            }

            sample.Latency.Counts.CopyTo(LatencyCounts);
            Round = round;
        }
    }
}
