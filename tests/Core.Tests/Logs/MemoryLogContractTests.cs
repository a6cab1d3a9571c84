using Danube.Fast.Tests;

namespace Danube.Fast.Core.Tests;

/// <summary>The contract of a log, kept by the one in memory.</summary>
public sealed class MemoryLogContractTests : TopicLogContract
{
    protected override TopicLog Create() => new MemoryTopicLog(5, DurabilityClass.Memory, 1, new LogRetention(0, 64 << 20));
}
