using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>
/// Topics that come and go while things go wrong: each is created, gets a message, and every second one is deleted again. Those that stay must have their message
/// at the end (<c>fsync</c>), those that were deleted must be gone.
/// Runs on: one loop. Shared with: the test, after <see cref="StopAsync"/>.
/// </summary>
internal sealed class TopicChurn : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(LongMode.Pick(100, 1000));

    private readonly DanubeClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _kept = [], _deleted = [];
    private readonly Task _running;

    private TopicChurn(DanubeClient client)
    {
        _client = client;
        _running = Task.Run(RunAsync);
    }

    public static async Task<TopicChurn> StartAsync(ClusterUnderTest cluster) => new(await cluster.ConnectAsync());

    /// <summary>Ends the loop and looks at what is there. Returns how many topics came and how many went.</summary>
    public async Task<(int Created, int Deleted)> StopAsync(ClusterUnderTest cluster)
    {
        await _stop.CancelAsync();
        await _running;
        Assert.NotEmpty(_kept);
        await cluster.ServedAsync(_kept);
        foreach (string topic in _kept.Where(t => t.Contains("fsync", StringComparison.Ordinal)))
        {
            Assert.Equal([1], await TopicReading.NumbersAsync(_client, topic));
        }

        Dictionary<string, TopicPlace> places = await cluster.PlacesAsync();
        Assert.DoesNotContain(_deleted, places.ContainsKey);
        return (_kept.Count + _deleted.Count, _deleted.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (int i = 0; !_stop.IsCancellationRequested; i++)
        {
            string topic = $"/churn/{(i / 2 % 2 == 0 ? "fsync" : "memory")}-{i}";
            await ClusterUnderTest.CreateAsync(_client, topic, i / 2 % 2 == 0 ? "fsync" : "memory");
            await using (Producer producer = await OpenAsync(topic))
            {
                await producer.SendAsync(MarkedMessage.Create(7, 1));
            }

            if (i % 2 == 0)
            {
                _kept.Add(topic);
            }
            else
            {
                await UntilDoneAsync(() => _client.DeleteTopicAsync(topic), ErrorCode.TopicNotFound);
                _deleted.Add(topic);
            }

            await Task.Delay(Pause);
        }
    }

    private async Task<Producer> OpenAsync(string topic)
    {
        Producer? producer = null;
        await UntilDoneAsync(async () => producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = topic, Name = "churn", SendTimeout = Timeout.InfiniteTimeSpan }), null);
        return producer!;
    }

    // Again when a broker died in the middle: then it may be done already.
    private static Task UntilDoneAsync(Func<Task> call, ErrorCode? doneBefore) => ClusterUnderTest.UntilAsync("topics come and go", async () =>
    {
        try
        {
            await call();
            return true;
        }
        catch (DanubeException e) when (e.Code == doneBefore || e.Code == ErrorCode.TimedOut || e.Retryable)
        {
            return e.Code == doneBefore;
        }
    });
}
