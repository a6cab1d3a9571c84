using System.Diagnostics;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>Requests of the control plane as the tests of policies and management make them.</summary>
internal static class Admin
{
    public static async Task<TReply> AskAsync<T, TReply>(this RawClient client, string command, T request, JsonTypeInfo<T> type, JsonTypeInfo<TReply> reply)
    {
        ReceivedFrame frame = await client.RequestAsync(command, request, type);
        Assert.True(frame.Type == FrameType.Response, frame.Type == FrameType.Error ? frame.Error.Message : frame.Type.ToString());
        return frame.Payload(reply);
    }

    public static async Task<ErrorPayload> RefusedAsync<T>(this RawClient client, string command, T request, JsonTypeInfo<T> type)
    {
        ReceivedFrame frame = await client.RequestAsync(command, request, type);
        Assert.Equal(FrameType.Error, frame.Type);
        return frame.Error;
    }

    public static Task<TopicInfo> CreateAsync(this RawClient client, TopicSpec spec) =>
        client.AskAsync(Commands.CreateTopic, spec, ControlJson.Default.TopicSpec, ControlJson.Default.TopicInfo);

    public static Task<TopicInfo> SetPolicyAsync(this RawClient client, TopicSpec spec) =>
        client.AskAsync(Commands.SetTopicPolicy, spec, ControlJson.Default.TopicSpec, ControlJson.Default.TopicInfo);

    public static Task<NamespaceSpec> SetNamespaceAsync(this RawClient client, NamespaceSpec spec) =>
        client.AskAsync(Commands.SetNamespacePolicy, spec, ControlJson.Default.NamespaceSpec, ControlJson.Default.NamespaceSpec);

    public static Task<NamespaceSpec> NamespaceAsync(this RawClient client, string ns) =>
        client.AskAsync(Commands.DescribeNamespace, new NamespaceRequest { Namespace = ns }, ControlJson.Default.NamespaceRequest, ControlJson.Default.NamespaceSpec);

    public static Task<SubscriptionDetails> DescribeAsync(this RawClient client, string topic, string subscription) => client.AskAsync(
        Commands.DescribeSubscription, new SubscriptionRequest { Topic = topic, Subscription = subscription }, ControlJson.Default.SubscriptionRequest, ControlJson.Default.SubscriptionDetails);

    public static Task<SkipReply> SkipAsync(this RawClient client, string topic, string subscription, long count) => client.AskAsync(
        Commands.Skip, new SkipRequest { Topic = topic, Subscription = subscription, Count = count }, ControlJson.Default.SkipRequest, ControlJson.Default.SkipReply);

    public static Task<SkipReply> PurgeAsync(this RawClient client, string topic, string subscription) => client.AskAsync(
        Commands.Purge, new SubscriptionRequest { Topic = topic, Subscription = subscription }, ControlJson.Default.SubscriptionRequest, ControlJson.Default.SkipReply);

    public static async Task<MessageBody[]> PeekAsync(this RawClient client, PeekRequest request) =>
        (await client.AskAsync(Commands.Peek, request, ControlJson.Default.PeekRequest, ControlJson.Default.PeekReply)).Messages;

    public static Task<SubscribeReply> SubscribeAsync(this RawClient client, SubscribeRequest request) =>
        client.AskAsync(Commands.Subscribe, request, ControlJson.Default.SubscribeRequest, ControlJson.Default.SubscribeReply);

    /// <summary>Publishes texts as one frame each and waits for the acknowledgement of all.</summary>
    public static async Task PublishAsync(this RawClient client, string topic, string durability, params string[] texts)
    {
        CreateProducerReply producer = await client.CreateProducerAsync(topic, durability: durability);
        ulong sequence = producer.LastSequence;
        foreach (string text in texts)
        {
            await client.SendAsync(Frames.Publish(producer, ++sequence, System.Text.Encoding.UTF8.GetBytes(text)));
        }

        while ((await client.ReceiveAsync(FrameType.PublishAck)).PublishAck.LastSequence < sequence)
        {
        }

        await client.SendAsync(Frames.Close(producer.Channel));
    }

    /// <summary>Waits for what the broker does in its own time; the limit only ends a hang.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(100), "hangs");
            await Task.Delay(20);
        }
    }
}
