using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// Creates a topic, writes one message, deletes it, again and again. What was answered holds after a kill; what was not may have happened or not. No message of a
/// former topic of the name ever comes back.
/// </summary>
internal sealed class TopicChurn
{
    private const string Namespace = "killchurn";
    private const int Names = 4;

    private readonly State[] _states = [.. Enumerable.Range(0, Names).Select(i => new State($"/{Namespace}/t{i}", i % 2 == 0 ? "fsync" : "os"))];
    private long _creation;

    public int Created { get; private set; }

    public int Deleted { get; private set; }

    /// <summary>Until the broker dies.</summary>
    public async Task RunAsync(DanubeClient client, Random random, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await StepAsync(client, _states[random.Next(Names)], cancellation);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or DanubeException)
        {
            // The round is over; the state of the last one says that it is in doubt.
        }
    }

    public async Task AuditAsync(DanubeClient client)
    {
        var listed = (await client.ListTopicsAsync(Namespace)).ToDictionary(t => t.Topic);
        foreach (State state in _states)
        {
            bool isThere = listed.TryGetValue(state.Topic, out TopicInfo? info);
            Assert.True(state.Exists is null || state.Exists == isThere, $"{state.Topic}: {(isThere ? "is there although its deletion" : "is gone although its creation")} was answered");
            Assert.True(!isThere || state.FormerId is null || info!.TopicId != state.FormerId, $"{state.Topic}: id {info?.TopicId} is that of the topic before");
            if (isThere)
            {
                List<long> numbers = await TopicReading.NumbersAsync(client, state.Topic);
                Assert.All(numbers, n => Assert.Equal(state.Creation, n));
                Assert.True(numbers.Count <= 1 && (numbers.Count == 1 || !state.IsWritten || state.Exists is null), $"{state.Topic}: holds {numbers.Count} messages where one was acknowledged");
            }

            state.Exists = isThere;
        }
    }

    private async Task StepAsync(DanubeClient client, State state, CancellationToken cancellation)
    {
        if (state.Exists == true)
        {
            ulong id = (await client.DescribeTopicAsync(state.Topic, cancellation)).TopicId;
            state.Exists = null;
            await client.DeleteTopicAsync(state.Topic, cancellation);
            state.Exists = false;
            state.FormerId = id;
            Deleted++;
            return;
        }

        state.Exists = null;
        state.IsWritten = false;
        state.Creation = ++_creation;
        await client.CreateTopicAsync(new TopicSpec { Topic = state.Topic, Durability = state.Durability }, cancellation);
        state.Exists = true;
        Created++;
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = state.Topic }, cancellation);
        await producer.SendAsync(MarkedMessage.Create(0, state.Creation), cancellation);
        state.IsWritten = true;
    }

    private sealed class State(string topic, string durability)
    {
        public string Topic { get; } = topic;

        public string Durability { get; } = durability;

        /// <summary>Null while a request is not answered.</summary>
        public bool? Exists { get; set; } = false;

        /// <summary>The number of its message.</summary>
        public long Creation { get; set; }

        public bool IsWritten { get; set; }

        /// <summary>Id of the topic whose deletion was answered last.</summary>
        public ulong? FormerId { get; set; }
    }
}
