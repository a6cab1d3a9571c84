using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// One run of <c>consume</c>. Messages are formatted into a buffer; when nothing more is waiting, or the buffer is full, it is handed
/// to the output and only then are its messages settled.
/// </summary>
internal sealed class ConsumeRun(ConsumeSettings settings, TextWriter error)
{
    // How long --until-end waits for a message before it asks the broker whether there is one at all.
    private static readonly TimeSpan IdleCheck = TimeSpan.FromMilliseconds(300);

    // An exclusive consumer that acknowledges nothing and gets nothing for so many checks has come to the end of the broker's window.
    private const int ChecksUntilStuck = 20;

    private readonly OutputBuffer _output = new(StandardOutput.Open());
    private readonly PayloadCodec _codec = new(settings.Encoding);
    private readonly bool _newLineBetween = settings.NoFinalNewLine && settings.Template.EndsWithNewLine;
    private long _messages;

    /// <summary>Consumes; returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var session = new BrokerSession(settings.Url, error);
        await using DanubeClient client = await session.OpenAsync(cancellationToken);
        long started = Stopwatch.GetTimestamp();
        await using MessageSource source = await (settings.Subscription is null
            ? ReaderSource.OpenAsync(client, settings, cancellationToken)
            : SubscriptionSource.OpenAsync(client, settings, cancellationToken));
        int exitCode = await ConsumeAsync(client, source, cancellationToken);
        if (cancellationToken.IsCancellationRequested && session.IsLost)
        {
            exitCode = CliCommandLine.Interrupted; // What was acknowledged last may not have arrived.
        }

        if (ProgressDisplay.IsPossible && Console.IsOutputRedirected)
        {
            await error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{_messages:N0} messages in {Stopwatch.GetElapsedTime(started).TotalSeconds:N2} s."));
        }

        return exitCode;
    }

    private async Task<int> ConsumeAsync(DanubeClient client, MessageSource source, CancellationToken cancellationToken)
    {
        int exitCode = CliCommandLine.Success;
        try
        {
            await LoopAsync(client, source, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Without an end of its own the run ends this way and no other.
            exitCode = settings.Count is null && !settings.UntilEnd ? CliCommandLine.Success : CliCommandLine.Interrupted;
            HandOver(source);
        }

        // Not acknowledged for want of an answer, it comes again to the next consumer.
        bool acknowledged = await WindUp.FinishAsync(source.FlushAsync(CancellationToken.None).AsTask(), static () => 0, cancellationToken);
        return acknowledged ? exitCode : CliCommandLine.Interrupted;
    }

    private async Task LoopAsync(DanubeClient client, MessageSource source, CancellationToken cancellationToken)
    {
        long limit = settings.Count ?? long.MaxValue;
        while (_messages < limit && !(settings.UntilEnd && source.End.IsReached))
        {
            if (source.TryReceive(out Message message))
            {
                Print(source, message);
                if (_output.Count >= OutputBuffer.FlushBytes)
                {
                    HandOver(source);
                    cancellationToken.ThrowIfCancellationRequested();
                }

                continue;
            }

            HandOver(source);
            if (!settings.UntilEnd)
            {
                Print(source, await source.ReceiveAsync(cancellationToken));
            }
            else if (await ReceiveBeforeEndAsync(client, source, cancellationToken) is { } received)
            {
                Print(source, received);
            }
            else
            {
                break;
            }
        }

        HandOver(source);
    }

    // Null when everything below the end is acknowledged: by an earlier run, or by another consumer of a shared subscription.
    private async Task<Message?> ReceiveBeforeEndAsync(DanubeClient client, MessageSource source, CancellationToken cancellationToken)
    {
        for (int check = 1; ; check++)
        {
            using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            idle.CancelAfter(IdleCheck);
            try
            {
                return await source.ReceiveAsync(idle.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                await source.FlushAsync(cancellationToken);
                await source.LookForEndAsync(client, cancellationToken);
                if (source.End.IsReached)
                {
                    return null;
                }

                if (check == ChecksUntilStuck && source.Keeps && settings.NackDelay is null && settings.Type == SubscriptionType.Exclusive)
                {
                    throw new InvalidDataException(
                        $"nothing more comes after {_messages} messages: the broker reads no further than topics.max_ack_window ahead of the first message that is not acknowledged. Leave out --no-ack, or --subscription.");
                }
            }
        }
    }

    private void Print(MessageSource source, in Message message)
    {
        if (_newLineBetween && _messages > 0)
        {
            _output.Write("\n"u8);
        }

        settings.Template.Write(message, _codec, _output, withoutLast: _newLineBetween);
        _messages++;
        source.End.Pass(message.Id, source.Keeps);
        source.OnPrinted(message);
    }

    private void HandOver(MessageSource source)
    {
        _output.Flush();
        source.OnHandedOver();
    }
}
