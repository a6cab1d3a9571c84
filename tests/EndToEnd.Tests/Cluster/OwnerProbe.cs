using System.Diagnostics;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>
/// Looks for a split brain. It publishes to every broker itself, whoever owns the topic, and does not stop when nothing is answered: the client library would follow
/// redirects, and drop what a former owner says. Whoever acknowledges names the epoch of its opening, and an acknowledgement is a split brain when its message was sent
/// after another broker had acknowledged in a later epoch, or when two brokers acknowledge in one epoch.
/// Runs on: a loop for each broker and topic. Shared with: the test, through its lock.
/// </summary>
internal sealed class OwnerProbe : IAsyncDisposable
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250), Pause = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly List<ProbedAck> _acks = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _loops;

    /// <param name="ports">Of every broker, dead or alive.</param>
    /// <param name="topics">That are there, with their class.</param>
    public OwnerProbe(IReadOnlyDictionary<int, int> ports, IEnumerable<(string Topic, string Durability)> topics)
    {
        Topics = [.. topics];
        _loops = [.. ports.SelectMany(p => Topics.Select(t => Task.Run(() => AskForEverAsync(p.Key, p.Value, t.Topic))))];
    }

    public IReadOnlyList<(string Topic, string Durability)> Topics { get; }

    /// <summary>Everything that brokers have acknowledged to it so far.</summary>
    public IReadOnlyList<ProbedAck> Acknowledged
    {
        get
        {
            lock (_lock)
            {
                return [.. _acks];
            }
        }
    }

    /// <summary>Fails when two brokers acknowledged at once. Returns what was looked at, for the report.</summary>
    public string Check()
    {
        IReadOnlyList<ProbedAck> all = Acknowledged;
        foreach ((string topic, string durability) in Topics)
        {
            ProbedAck[] acks = [.. all.Where(a => a.Topic == topic)];
            Assert.NotEmpty(acks);
            CheckEpochs(acks);
            if (durability != "memory")
            {
                IGrouping<long, ProbedAck>? twice = acks.GroupBy(a => a.Offset).FirstOrDefault(g => g.Count() > 1);
                Assert.True(twice is null, $"Two acknowledgements of one offset: {string.Join(" and ", twice ?? Enumerable.Empty<ProbedAck>())}");
            }
        }

        return $"{all.Count} straight from the owners of {Topics.Count} topics in {all.Select(a => (a.Topic, a.Epoch)).Distinct().Count()} openings, none from a former owner";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
    }

    private static void CheckEpochs(ProbedAck[] acks)
    {
        ProbedAck? next = null; // The first acknowledgement of any later epoch.
        foreach (IGrouping<long, ProbedAck> epoch in acks.GroupBy(a => a.Epoch).OrderByDescending(g => g.Key))
        {
            ProbedAck first = epoch.MinBy(a => a.Answered)!;
            ProbedAck? other = epoch.FirstOrDefault(a => a.Broker != first.Broker);
            Assert.True(other is null, $"Split brain, one epoch of two brokers: {first} and {other}");
            if (next is not null)
            {
                ProbedAck? late = epoch.FirstOrDefault(a => a.Sent > next.Answered);
                Assert.True(late is null, $"Split brain, a former owner acknowledges: {late} after {next}");
            }

            next = next is null || first.Answered < next.Answered ? first : next;
        }
    }

    private async Task AskForEverAsync(int broker, int port, string topic)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using ProbeLine? line = await ProbeLine.OpenAsync(port, topic, _stop.Token);
                if (line is not null)
                {
                    await AskAsync(line, broker, topic);
                }
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or InvalidOperationException or OperationCanceledException)
            {
                // The broker is away (also between two steps), or the probe ends.
            }

            await Task.Delay(AskAgain, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Sends go on while nothing is answered: what a broker makes of them when it wakes up is the question.
    private async Task AskAsync(ProbeLine line, int broker, string topic)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task sending = SendForEverAsync(line, over.Token);
        try
        {
            while (await line.ReadAckAsync(over.Token) is { } ack)
            {
                lock (_lock)
                {
                    _acks.Add(new ProbedAck(topic, broker, line.Epoch, ack.Offset, ack.Sent, Stopwatch.GetTimestamp()));
                }
            }
        }
        finally
        {
            await over.CancelAsync();
            await sending;
        }
    }

    private static async Task SendForEverAsync(ProbeLine line, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await line.PublishAsync(cancellationToken);
                await Task.Delay(Pause, cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The connection is over; its reader sees that too.
        }
    }
}

/// <summary>A broker acknowledged a message of a topic. Times are those of <see cref="Stopwatch"/>.</summary>
internal sealed record ProbedAck(string Topic, int Broker, long Epoch, long Offset, long Sent, long Answered);
