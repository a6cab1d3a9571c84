using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>Messages of a topic from a position on; nothing of it stays with the broker.</summary>
internal sealed class ReaderSource(Reader reader) : MessageSource
{
    public override bool Keeps => false;

    public static async Task<MessageSource> OpenAsync(DanubeClient client, ConsumeSettings settings, CancellationToken cancellationToken)
    {
        Reader reader = await client.CreateReaderAsync(
            new ReaderOptions { Topic = settings.Topic, Start = settings.From, Name = settings.Name }, cancellationToken);

        // Where a reader of several partitions starts is not known for each: the broker is asked when nothing comes.
        long[] start = [.. Enumerable.Range(0, reader.PartitionCount).Select(_ => reader.PartitionCount == 1 ? reader.StartOffset : 0)];
        return new ReaderSource(reader) { End = new EndOfTopic(reader.PartitionCount, i => start[i], reader.GetDurableEnd) };
    }

    public override bool TryReceive(out Message message) => reader.TryReceive(out message);

    public override ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken) => reader.ReceiveAsync(cancellationToken);

    public override void OnPrinted(in Message message)
    {
    }

    public override void OnHandedOver()
    {
    }

    public override ValueTask FlushAsync(CancellationToken cancellationToken) => default;

    public override async Task LookForEndAsync(DanubeClient client, CancellationToken cancellationToken)
    {
        if (await reader.HasReachedEndAsync(cancellationToken))
        {
            End.Reach();
        }
    }

    public override ValueTask DisposeAsync() => reader.DisposeAsync();
}
