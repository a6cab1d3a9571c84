namespace Danube.Fast.Core;

/// <summary>Opens topics by name for the engine: dead letters go to another topic. Implemented by the server.</summary>
public interface ITopicResolver
{
    /// <summary>Opens a topic, or creates it with the durability of <paramref name="source"/>.</summary>
    /// <exception cref="Exception">It cannot be opened now; the caller tries again later.</exception>
    ValueTask<Topic> OpenOrCreateAsync(string name, Topic source, CancellationToken cancellation);

    /// <summary>Opens a producer on a topic that another broker serves, creating the topic as above; null when the topic is to be opened here.</summary>
    /// <exception cref="Exception">It cannot be opened now; the caller tries again later.</exception>
    ValueTask<DeadLetterTarget?> OpenElsewhereAsync(string name, Topic source, string producerName, IFrameSink sink, CancellationToken cancellation) => default;
}
