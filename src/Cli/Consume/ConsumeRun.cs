using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// One run of <c>consume</c>. Messages are formatted into a buffer; when nothing more is waiting, or the buffer is full, it is handed
/// to the output and only then are its messages acknowledged.
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
    private PrintedMessages? _printed;
    private long _messages;
    private EndOfTopic? _end;

    /// <summary>Consumes; returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using DanubeClient client = await BrokerSession.OpenAsync(settings.Url, error, cancellationToken);
        string subscription = settings.Subscription ?? "cli-" + Guid.NewGuid().ToString("N");
        long started = Stopwatch.GetTimestamp();
        int exitCode;
        try
        {
            exitCode = await ConsumeAsync(client, subscription, cancellationToken);
        }
        finally
        {
            if (settings.Subscription is null)
            {
                await RemoveAsync(client, subscription);
            }
        }

        if (ProgressDisplay.IsPossible && Console.IsOutputRedirected)
        {
            await error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{_messages:N0} messages in {Stopwatch.GetElapsedTime(started).TotalSeconds:N2} s."));
        }

        return exitCode;
    }

    private async Task<int> ConsumeAsync(DanubeClient client, string subscription, CancellationToken cancellationToken)
    {
        await using Client.Consumer consumer = await client.SubscribeAsync(
            new ConsumerOptions
            {
                Topic = settings.Topic,
                Subscription = subscription,
                Name = settings.Name,
                Type = settings.Type,
                Start = settings.From,
                Priority = settings.Priority,
                Policy = settings.Policy,
            },
            cancellationToken);
        _end = new EndOfTopic(consumer);
        _printed = new PrintedMessages(consumer, cumulative: settings.Type == SubscriptionType.Exclusive && settings.NackDelay is null, settings.NackDelay);
        int exitCode = CliCommandLine.Success;
        try
        {
            await LoopAsync(client, consumer, subscription, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Without an end of its own the run ends this way and no other.
            exitCode = settings.Count is null && !settings.UntilEnd ? CliCommandLine.Success : CliCommandLine.Interrupted;
            HandOver();
        }

        await consumer.FlushAcksAsync(CancellationToken.None);
        return exitCode;
    }

    private async Task LoopAsync(DanubeClient client, Client.Consumer consumer, string subscription, CancellationToken cancellationToken)
    {
        long limit = settings.Count ?? long.MaxValue;
        while (_messages < limit && !(settings.UntilEnd && _end!.IsReached))
        {
            if (consumer.TryReceive(out Message message))
            {
                Print(message);
                if (_output.Count >= OutputBuffer.FlushBytes)
                {
                    HandOver();
                    cancellationToken.ThrowIfCancellationRequested();
                }

                continue;
            }

            HandOver();
            if (!settings.UntilEnd)
            {
                Print(await consumer.ReceiveAsync(cancellationToken));
            }
            else if (await ReceiveBeforeEndAsync(client, consumer, subscription, cancellationToken) is { } received)
            {
                Print(received);
            }
            else
            {
                break;
            }
        }

        HandOver();
    }

    // Null when everything below the end is acknowledged: by an earlier run, or by another consumer of a shared subscription.
    private async Task<Message?> ReceiveBeforeEndAsync(
        DanubeClient client, Client.Consumer consumer, string subscription, CancellationToken cancellationToken)
    {
        for (int check = 1; ; check++)
        {
            using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            idle.CancelAfter(IdleCheck);
            try
            {
                return await consumer.ReceiveAsync(idle.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                await consumer.FlushAcksAsync(cancellationToken);
                await _end!.LookAsync(client, settings.Topic, subscription, cancellationToken);
                if (_end.IsReached)
                {
                    return null;
                }

                if (check == ChecksUntilStuck && !settings.Acknowledge && settings.Type == SubscriptionType.Exclusive)
                {
                    throw new InvalidDataException(
                        $"nothing more comes after {_messages} messages: the broker reads no further than topics.max_ack_window ahead of the first message that is not acknowledged. Leave out --no-ack, or --subscription.");
                }
            }
        }
    }

    private void Print(in Message message)
    {
        if (_newLineBetween && _messages > 0)
        {
            _output.Write("\n"u8);
        }

        settings.Template.Write(message, _codec, _output, withoutLast: _newLineBetween);
        _messages++;
        _end!.Pass(message.Id, kept: !settings.Acknowledge);
        if (settings.Acknowledge)
        {
            _printed!.Add(message.Id);
        }
    }

    private void HandOver()
    {
        _output.Flush();
        _printed!.Acknowledge();
    }

    private async Task RemoveAsync(DanubeClient client, string subscription)
    {
        try
        {
            await client.UnsubscribeAsync(settings.Topic, subscription, CancellationToken.None);
        }
        catch (DanubeException e) when (e.Code is ErrorCode.SubscriptionNotFound or ErrorCode.TopicNotFound)
        {
            // It was never made, or the topic was deleted meanwhile.
        }
    }
}
