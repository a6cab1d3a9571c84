using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>Where <c>consume</c> has its messages from: a subscription that stays, or a reader that nobody remembers.</summary>
internal abstract class MessageSource : IAsyncDisposable
{
    /// <summary>The end that <c>--until-end</c> means.</summary>
    public required EndOfTopic End { get; init; }

    /// <summary>True when a message that was printed stays in the backlog.</summary>
    public abstract bool Keeps { get; }

    public abstract bool TryReceive(out Message message);

    public abstract ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>The message is in the output buffer.</summary>
    public abstract void OnPrinted(in Message message);

    /// <summary>The output buffer was handed over.</summary>
    public abstract void OnHandedOver();

    /// <summary>All that was settled is with the broker.</summary>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Asks the broker whether there is nothing left below the end, for a run that gets nothing.</summary>
    public abstract Task LookForEndAsync(DanubeClient client, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
