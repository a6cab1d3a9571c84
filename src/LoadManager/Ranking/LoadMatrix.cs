using System.Buffers;

namespace Danube.Fast.LoadManager;

/// <summary>
/// The factors of several brokers side by side, made comparable: shares of capacity where every capacity is known, the mean of the others where a
/// reading is missing, divided by the largest (or the floor). Rented memory; dispose it.
/// </summary>
internal ref struct LoadMatrix
{
    private readonly double[] _rented;
    private readonly ReadOnlySpan<BrokerState> _brokers;
    private readonly Span<int> _missing;

    /// <param name="brokers">Active and fresh ones.</param>
    /// <param name="missing">One per broker: bits of the factors without a reading, filled in.</param>
    public LoadMatrix(ReadOnlySpan<BrokerState> brokers, Span<int> missing)
    {
        _brokers = brokers;
        _missing = missing;
        _rented = ArrayPool<double>.Shared.Rent(brokers.Length * LoadFactors.Count);
        for (int f = 0; f < LoadFactors.Count; f++)
        {
            Span<double> row = Row((LoadFactor)f);
            for (int i = 0; i < brokers.Length; i++)
            {
                row[i] = brokers[i].Factor((LoadFactor)f);
            }
        }
    }

    /// <summary>One factor of all brokers, in the order of the brokers.</summary>
    public readonly Span<double> Row(LoadFactor factor) => _rented.AsSpan((int)factor * _brokers.Length, _brokers.Length);

    /// <summary>Puts the mean of the known figures where one is missing (0 when nobody has one), and notes it.</summary>
    public readonly void FillMissing()
    {
        for (int f = 0; f < LoadFactors.Count; f++)
        {
            Span<double> row = Row((LoadFactor)f);
            double sum = 0;
            int known = 0;
            foreach (double value in row)
            {
                sum += double.IsNaN(value) ? 0 : value;
                known += double.IsNaN(value) ? 0 : 1;
            }

            for (int i = 0; i < row.Length && known < row.Length; i++)
            {
                if (double.IsNaN(row[i]))
                {
                    row[i] = known == 0 ? 0 : sum / known;
                    _missing[i] |= 1 << f;
                }
            }
        }
    }

    /// <summary>Makes every factor a figure from 0 to 1: of the largest in the cluster, or of the floor when that is more.</summary>
    public readonly void Normalize()
    {
        for (int f = 0; f < LoadFactors.Count; f++)
        {
            var factor = (LoadFactor)f;
            Span<double> row = Row(factor);
            double floor = MakeComparable(factor, row);
            double largest = floor;
            foreach (double value in row)
            {
                largest = Math.Max(largest, value);
            }

            for (int i = 0; i < row.Length; i++)
            {
                row[i] /= largest;
            }
        }
    }

    public readonly void Dispose() => ArrayPool<double>.Shared.Return(_rented);

    // Turns a row into shares of capacity, or topics into topics per core of the largest broker, when all brokers say what they have.
    private readonly double MakeComparable(LoadFactor factor, Span<double> row)
    {
        bool isByCores = factor == LoadFactor.TopicCount;
        if (!isByCores && !LoadFactors.IsByCapacity(factor))
        {
            return LoadFactors.Floor(factor);
        }

        double most = 0;
        foreach (BrokerState broker in _brokers)
        {
            if ((isByCores ? broker.Capacity.Cores : LoadFactors.Capacity(factor, broker.Capacity)) is not { } capacity || !(capacity > 0))
            {
                return LoadFactors.Floor(factor);
            }

            most = Math.Max(most, capacity);
        }

        for (int i = 0; i < row.Length; i++)
        {
            row[i] = isByCores ? row[i] * most / _brokers[i].Capacity.Cores!.Value : row[i] / LoadFactors.Capacity(factor, _brokers[i].Capacity)!.Value;
        }

        return isByCores ? LoadFactors.Floor(factor) : LoadFactors.FloorOfShare;
    }
}
