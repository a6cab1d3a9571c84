using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// Knows when a consumer has come to the end that its topic had when it subscribed. Runs on: the consume loop. Shared with: nobody.
/// </summary>
internal sealed class EndOfTopic
{
    private readonly Partition[] _partitions;
    private int _open;

    /// <param name="partitions">Number of partitions.</param>
    /// <param name="start">First offset to come of each.</param>
    /// <param name="end">First offset of each that was not there when this began.</param>
    public EndOfTopic(int partitions, Func<int, long> start, Func<int, long> end)
    {
        _partitions = [.. Enumerable.Range(0, partitions).Select(i => new Partition(end(i)))];
        for (int i = 0; i < _partitions.Length; i++)
        {
            _open += _partitions[i].IsOpen ? 1 : 0;
            Advance(i, start(i));
        }
    }

    /// <summary>True when no message below the end is to come.</summary>
    public bool IsReached => _open == 0;

    /// <summary>Notes a message.</summary>
    /// <param name="id">The message.</param>
    /// <param name="kept">True when it will not be acknowledged: it stays in the subscription's backlog.</param>
    public void Pass(MessageId id, bool kept)
    {
        _partitions[id.Partition].Kept += kept ? 1 : 0;
        Advance(id.Partition, id.Offset + 1);
    }

    /// <summary>
    /// Asks the broker, for a consumer that gets nothing: the last messages can have been acknowledged by an earlier run or by another
    /// consumer of the subscription. Everything this consumer acknowledges must have been flushed.
    /// </summary>
    public async Task LookAsync(DanubeClient client, string topic, string subscription, CancellationToken cancellationToken)
    {
        for (int i = 0; i < _partitions.Length; i++)
        {
            string name = _partitions.Length == 1 ? topic : $"{topic}-part-{i}";
            TopicInfo info = await client.DescribeTopicAsync(name, cancellationToken);
            SubscriptionInfo? state = info.Subscriptions.FirstOrDefault(s => s.Name == subscription);
            if (state is null || state.Backlog <= _partitions[i].Kept || state.MarkDelete >= _partitions[i].End)
            {
                Advance(i, _partitions[i].End);
            }
        }
    }

    /// <summary>The broker says that nothing more is to come.</summary>
    public void Reach()
    {
        for (int i = 0; i < _partitions.Length; i++)
        {
            Advance(i, _partitions[i].End);
        }
    }

    private void Advance(int partition, long next)
    {
        ref Partition p = ref _partitions[partition];
        bool wasOpen = p.IsOpen;
        p.Next = Math.Max(p.Next, next);
        _open -= wasOpen && !p.IsOpen ? 1 : 0;
    }

    private struct Partition(long end)
    {
        public readonly long End = end;
        public long Next;
        public long Kept;

        public readonly bool IsOpen => Next < End;
    }
}
