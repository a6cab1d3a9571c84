using Danube.Fast.Bench.Runs;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>
/// Publish, append, dispatch and acknowledge allocate nothing per message in steady state. Broker, producer and consumer are real processes; their own
/// counters of allocated bytes are read before and after a window of at least a million messages. What is left is paid per second, not per message:
/// timers, the two scrapes of /metrics and the control lines of the workers, some 50 KB in the window. One allocation per message would be 24 bytes or
/// more, one per batch of 60 still 0.4; the limit of 0.1 is far below both.
/// </summary>
public class Promise6Tests
{
    private const double Limit = 0.1;
    private const long MinMessages = 1_000_000;

    [Theory(Timeout = 240_000)]
    [InlineData("fsync", 100)]
    [InlineData("os", 1024)]
    [InlineData("memory", 100)]
    public async Task Promise6_NothingIsAllocatedPerMessage(string durability, int sizeBytes)
    {
        await using LoadSession session = await LoadSession.StartAsync(new LoadSetup { Durability = durability, SizeBytes = sizeBytes });
        await session.Consumer!.RunAsync();
        await session.Producer.RunAsync();

        // Pools fill, code reaches its last tier.
        await Task.Delay(TimeSpan.FromSeconds(6));
        LoadWindow window = await session.MeasureAsync(TimeSpan.FromSeconds(6));
        for (int attempt = 0; window.Messages < MinMessages && attempt < 10; attempt++)
        {
            window = await session.MeasureAsync(TimeSpan.FromSeconds(6 * (attempt + 2)));
        }

        if (durability != "memory")
        {
            await session.PauseAsync();
        }

        Assert.True(window.Messages >= MinMessages, $"only {window.Messages} messages went through");
        Assert.True(window.BrokerBytesPerMessage < Limit, $"the broker allocated {window.BrokerBytesPerMessage:0.000} bytes per message over {window.Messages:N0} messages");
        Assert.True(window.ProducerBytesPerMessage < Limit, $"the producer allocated {window.ProducerBytesPerMessage:0.000} bytes per message over {window.Messages:N0} messages");
        Assert.True(window.ConsumerBytesPerMessage < Limit, $"the consumer allocated {window.ConsumerBytesPerMessage:0.000} bytes per message over {window.Messages:N0} messages");
        Assert.Equal(0, window.BrokerGen2 + window.ClientGen2);
    }
}
