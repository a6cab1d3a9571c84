using System.Diagnostics;
using System.Globalization;
using System.Text;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Produce;

/// <summary>One run of <c>produce</c>: reads, posts, and waits for every acknowledgement.</summary>
internal sealed class ProduceRun(ProduceSettings settings, TextWriter error)
{
    // A message is one frame: header, record framing and key need some of its room.
    private const int MaxLineBytes = ProtocolLimits.DefaultMaxFrame - (128 * 1024);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly PayloadCodec _codec = new(settings.Encoding);
    private readonly RatePacer? _pacer = settings.Rate is { } rate ? new RatePacer(rate) : null;
    private readonly bool _isTimed = settings.Delay > TimeSpan.Zero || settings.TimeToLive > TimeSpan.Zero;
    private long _messages;
    private long _acknowledged;
    private long _bytesRead;
    private volatile bool _isOpen;

    /// <summary>Publishes; returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var session = new BrokerSession(settings.Url, error);
        await using DanubeClient client = await session.OpenAsync(cancellationToken);
        Compression.TryParse(settings.Compression ?? "none", out Codec codec);
        var notice = new WaitNotice(error, () => Volatile.Read(ref _acknowledged), TimeProvider.System);
        await using ITimer looks = TimeProvider.System.CreateTimer(_ => notice.OnTick(session.IsLost ? null : WaitsFor()), null, LookEvery, LookEvery);
        await using Client.Producer producer = await client.CreateProducerAsync(
            new ProducerOptions
            {
                Topic = settings.Topic,
                Name = settings.Name,
                Durability = settings.Durability,
                Compression = codec,
                MaxBatchBytes = settings.BatchBytes ?? DefaultBatchBytes,
                OnRefused = notice.OnRefused,
                OnAcknowledged = OnAcknowledged,
            },
            cancellationToken);
        _isOpen = true;

        long started = Stopwatch.GetTimestamp();
        bool interrupted = false;
        try
        {
            await (settings.Messages.Length > 0 ? SendMessagesAsync(producer, cancellationToken) : SendLinesAsync(producer, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            interrupted = true;
        }

        // What was read counts as sent: it is acknowledged even after Ctrl-C.
        if (!await WindUp.FinishAsync(producer.FlushAsync(CancellationToken.None).AsTask(), () => Volatile.Read(ref _acknowledged), cancellationToken))
        {
            await error.WriteLineAsync("danube-cli: interrupted, and the broker does not answer: the last messages may not be stored.");
            return CliCommandLine.Interrupted;
        }

        if (ProgressDisplay.IsPossible)
        {
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{_messages:N0} messages acknowledged in {seconds:N2} s{(interrupted ? ", then interrupted" : "")}."));
        }

        return interrupted ? CliCommandLine.Interrupted : CliCommandLine.Success;
    }

    private static int DefaultBatchBytes { get; } = new ProducerOptions { Topic = "/-/-" }.MaxBatchBytes;

    private void OnAcknowledged(in BatchAck ack) => Interlocked.Add(ref _acknowledged, ack.Count);

    /// <summary>What the person at the terminal waits for; null for nothing.</summary>
    private string? WaitsFor() => !_isOpen ? $"a broker that serves {settings.Topic}"
        : Volatile.Read(ref _acknowledged) < Volatile.Read(ref _messages) ? $"the acknowledgement of the broker that serves {settings.Topic}"
        : null;

    private async Task SendMessagesAsync(Client.Producer producer, CancellationToken cancellationToken)
    {
        byte[][] lines = [.. settings.Messages.Select(Encoding.UTF8.GetBytes)];
        long count = settings.Count ?? 1;
        for (long round = 0; round < count; round++)
        {
            foreach (byte[] line in lines)
            {
                await PostAsync(producer, line, cancellationToken);
            }
        }
    }

    private async Task SendLinesAsync(Client.Producer producer, CancellationToken cancellationToken)
    {
        await using Stream input = settings.File is null
            ? Console.OpenStandardInput()
            : new FileStream(settings.File, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        if (settings.File is null || !input.CanSeek)
        {
            await SendLinesAsync(producer, input, cancellationToken);
            return;
        }

        await ProgressDisplay.RunAsync(
            () => SendLinesAsync(producer, input, cancellationToken),
            new ProgressLine("published", input.Length, () => Volatile.Read(ref _bytesRead)));
    }

    private async Task SendLinesAsync(Client.Producer producer, Stream input, CancellationToken cancellationToken)
    {
        var reader = new LineReader(input, MaxLineBytes);
        long limit = settings.Count ?? long.MaxValue;
        while (_messages < limit && await reader.FillAsync(cancellationToken))
        {
            Volatile.Write(ref _bytesRead, reader.BytesRead);
            while (_messages < limit && reader.TryRead(out ReadOnlyMemory<byte> line))
            {
                ValueTask posted = PostAsync(producer, line, cancellationToken);
                if (!posted.IsCompletedSuccessfully)
                {
                    await posted;
                }
            }
        }
    }

    private ValueTask PostAsync(Client.Producer producer, ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        if (_pacer is not null)
        {
            return PacedPostAsync(producer, line, cancellationToken);
        }

        return PostNowAsync(producer, line, cancellationToken);
    }

    private async ValueTask PacedPostAsync(Client.Producer producer, ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        await _pacer!.WaitAsync(cancellationToken);
        await PostNowAsync(producer, line, cancellationToken);
    }

    private ValueTask PostNowAsync(Client.Producer producer, ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> key = default;
        bool hasKey = settings.Keys?.Select(line, out key, out line) == true;
        if (!_codec.TryDecode(line, out ReadOnlyMemory<byte> payload))
        {
            throw new InvalidDataException(
                $"Message {_messages + 1} is not {settings.Encoding.ToString().ToLowerInvariant()}. The {_messages} messages before it were sent.");
        }

        _messages++;
        if (hasKey || _isTimed)
        {
            var message = new OutgoingMessage { Payload = payload, Delay = settings.Delay, TimeToLive = settings.TimeToLive };
            return producer.PostAsync(hasKey ? message with { Key = key } : message, cancellationToken);
        }

        return producer.TryPost(payload.Span) ? default : producer.PostAsync(payload, cancellationToken);
    }
}
