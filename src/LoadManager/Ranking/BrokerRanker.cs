using System.Buffers;

namespace Danube.Fast.LoadManager;

/// <summary>Scores and orders brokers. Pure: the same picture and time give the same ranking. Any thread may use it.</summary>
public sealed class BrokerRanker(LoadManagerOptions options)
{
    /// <summary>Ranks all brokers of a board.</summary>
    /// <param name="board">The picture of the brokers.</param>
    /// <param name="clock">The leader's clock, which decides what is stale.</param>
    /// <param name="assigned">Topics of a broker by the assignments; null = those of its report.</param>
    /// <param name="assignmentsRevision">Revision of the assignments, noted in the ranking.</param>
    public Ranking Rank(BoardView board, TimeProvider clock, IReadOnlyDictionary<long, int>? assigned = null, long assignmentsRevision = 0)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(clock);
        ReadOnlySpan<BrokerState> all = board.Brokers;
        var result = new RankedBroker[all.Length];
        BrokerState[] rented = ArrayPool<BrokerState>.Shared.Rent(all.Length);
        int[] missingRented = ArrayPool<int>.Shared.Rent(all.Length);
        try
        {
            int ranked = 0, others = all.Length;
            long now = clock.GetTimestamp();
            foreach (BrokerState broker in all)
            {
                if (!broker.IsActive || !IsFresh(broker, clock, now))
                {
                    result[--others] = new RankedBroker(broker.Id, double.NaN, broker.IsActive ? BrokerStanding.Stale : BrokerStanding.Inactive, 0);
                }
                else
                {
                    rented[ranked++] = broker;
                }
            }

            Score(rented.AsSpan(0, ranked), missingRented.AsSpan(0, ranked), assigned, result.AsSpan(0, ranked));
            result.AsSpan(0, ranked).Sort(static (a, b) => a.Score != b.Score ? a.Score.CompareTo(b.Score) : a.Id.CompareTo(b.Id));
            result.AsSpan(ranked).Reverse();
        }
        finally
        {
            ArrayPool<BrokerState>.Shared.Return(rented, clearArray: true);
            ArrayPool<int>.Shared.Return(missingRented);
        }

        return new Ranking(options.RankingAlgorithm, board.Generation, assignmentsRevision, result);
    }

    /// <summary>True while a broker's last report counts.</summary>
    internal bool IsFresh(BrokerState broker, TimeProvider clock, long now) =>
        broker is { Report: not null, IsReportGone: false } && clock.GetElapsedTime(broker.ReceivedAt, now) < options.StaleAfter;

    /// <summary>The scores of a matrix of brokers, with or without the number of topics.</summary>
    internal void ScoreInto(ref LoadMatrix matrix, ReadOnlySpan<BrokerState> brokers, Span<double> scores, bool withTopics)
    {
        scores.Clear();
        switch (options.RankingAlgorithm)
        {
            case RankingAlgorithm.Simple:
                if (withTopics)
                {
                    matrix.Row(LoadFactor.TopicCount).CopyTo(scores);
                }

                break;
            case RankingAlgorithm.Bottleneck:
                Bottleneck(ref matrix, brokers, scores, withTopics);
                break;
            default:
                matrix.Normalize();
                Weigh(ref matrix, scores, withTopics);
                break;
        }
    }

    private void Score(ReadOnlySpan<BrokerState> brokers, Span<int> missing, IReadOnlyDictionary<long, int>? assigned, Span<RankedBroker> result)
    {
        missing.Clear();
        var matrix = new LoadMatrix(brokers, missing);
        double[] rented = ArrayPool<double>.Shared.Rent(brokers.Length);
        Span<double> scores = rented.AsSpan(0, brokers.Length);
        try
        {
            Span<double> topics = matrix.Row(LoadFactor.TopicCount);
            for (int i = 0; i < brokers.Length && assigned is not null; i++)
            {
                topics[i] = assigned.GetValueOrDefault(brokers[i].Id);
            }

            matrix.FillMissing();
            ScoreInto(ref matrix, brokers, scores, withTopics: true);
            for (int i = 0; i < brokers.Length; i++)
            {
                BrokerStanding standing = brokers[i].HasUnreadable ? BrokerStanding.Unreadable : BrokerStanding.Ranked;
                result[i] = new RankedBroker(brokers[i].Id, scores[i], standing, missing[i]);
            }
        }
        finally
        {
            ArrayPool<double>.Shared.Return(rented);
            matrix.Dispose();
        }
    }

    private void Weigh(ref LoadMatrix matrix, Span<double> scores, bool withTopics)
    {
        for (int f = 0; f < LoadFactors.Count; f++)
        {
            if (f == (int)LoadFactor.TopicCount && !withTopics)
            {
                continue;
            }

            double weight = options.RankingWeights.Of((LoadFactor)f);
            Span<double> row = matrix.Row((LoadFactor)f);
            for (int i = 0; i < scores.Length; i++)
            {
                scores[i] += weight * row[i];
            }
        }
    }

    // The highest share of a capacity; what has no known capacity says nothing.
    private static void Bottleneck(ref LoadMatrix matrix, ReadOnlySpan<BrokerState> brokers, Span<double> scores, bool withTopics)
    {
        for (int f = 0; f < LoadFactors.Count; f++)
        {
            var factor = (LoadFactor)f;
            if (factor == LoadFactor.TopicCount && !withTopics)
            {
                continue;
            }

            Span<double> row = matrix.Row(factor);
            for (int i = 0; i < scores.Length; i++)
            {
                if (LoadFactors.Capacity(factor, brokers[i].Capacity) is { } capacity and > 0)
                {
                    scores[i] = Math.Max(scores[i], row[i] / capacity);
                }
            }
        }
    }
}
