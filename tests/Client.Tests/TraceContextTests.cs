using System.Diagnostics;

namespace Danube.Fast.Client.Tests;

/// <summary>The context of the activity that a message is sent in, when the client's own spans are not sampled: alone in the process.</summary>
[Collection(nameof(AllocationTests))]
public sealed class TraceContextTests : IAsyncLifetime
{
    private const string Topic = "/t/trace";

    private readonly FakeBroker _broker = new();

    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = s => s.Name == DanubeTelemetry.ActivitySourceName,
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.None,
    };

    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url);

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
        _listener.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_message_has_its_own_whatever_the_batches(bool byKey)
    {
        ActivitySource.AddActivityListener(_listener);
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic, BatchByKey = byKey });
        using Activity first = Make(sampled: true), second = Make(sampled: true), unsampled = Make(sampled: false);
        Activity?[] senders = [null, first, first, second, null, null, unsampled, first, second, second];
        foreach (Activity? sender in senders)
        {
            Activity.Current = sender;
            Assert.True(producer.TryPost("text"u8));
            Assert.True(producer.TryPost(new OutgoingMessage { Payload = "text"u8.ToArray(), Attributes = MessageAttributes.From([new("a", "b")]) }));
        }

        Activity.Current = null;
        await producer.FlushAsync();
        await AssertContextsAsync([.. senders.SelectMany(s => new[] { s, s })], unsampled);
    }

    [Fact]
    public async Task It_is_that_of_the_call_also_for_a_message_that_waits_for_room()
    {
        ActivitySource.AddActivityListener(_listener);
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic, WindowBytes = 64 * 1024, MaxBatchBytes = 16 * 1024 });
        using Activity first = Make(sampled: true), second = Make(sampled: true);
        var sends = new List<Task>();
        var senders = new List<Activity?>();
        for (int i = 0; i < 60; i++)
        {
            Activity? sender = (i % 3) switch { 0 => first, 1 => second, _ => null };
            Activity.Current = sender;
            sends.Add(producer.SendAsync(new byte[10_000]).AsTask());
            senders.Add(sender);
        }

        Activity.Current = null;
        await Task.WhenAll(sends);
        await AssertContextsAsync([.. senders], null);
    }

    [Fact]
    public async Task While_nobody_listens_it_is_not_carried_and_splits_no_batches()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        _broker.HoldAcks = true;
        for (int i = 0; i < 20; i++)
        {
            using Activity sender = Make(sampled: true);
            Activity.Current = sender;
            Assert.True(producer.TryPost("text"u8));
            Assert.True(producer.TryPost(new OutgoingMessage { Payload = "text"u8.ToArray() }));
            Activity.Current = null;
        }

        _broker.ReleaseAcks();
        await producer.FlushAsync();

        // The first message leaves at once, the others fill one batch until an acknowledgement comes.
        Assert.Equal(2, _broker.Topic(Topic).Frames.Count);
        await AssertContextsAsync(new Activity?[40], null);
    }

    private static Activity Make(bool sampled)
    {
        Activity activity = new Activity(sampled ? "sampled" : "unsampled") { ActivityTraceFlags = sampled ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None }.SetIdFormat(ActivityIdFormat.W3C).Start();
        Activity.Current = null;
        return activity;
    }

    private async Task AssertContextsAsync(Activity?[] senders, Activity? unsampled)
    {
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        foreach (Activity? sender in senders)
        {
            Message message = await consumer.ReceiveAsync();
            bool found = message.TryGetTraceContext(out ActivityContext context);
            ActivityContext? expected = sender is null || sender == unsampled ? null : new ActivityContext(sender.TraceId, sender.SpanId, ActivityTraceFlags.Recorded, isRemote: true);
            Assert.Equal(expected, found ? context : null);
            Assert.Null(message.Activity);
        }
    }
}
