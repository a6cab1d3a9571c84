using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Requests and events between clients against the fake broker: names, who may answer whom, bounds, lost connections.</summary>
public sealed class PeerTests : IAsyncLifetime
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly FakeBroker _broker = new();
    private DanubeClient _asking = null!, _answering = null!;

    public async Task InitializeAsync()
    {
        _asking = await Connect("asking");
        _answering = await Connect("answering");
    }

    public async Task DisposeAsync()
    {
        await _asking.DisposeAsync();
        await _answering.DisposeAsync();
        _broker.Dispose();
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private Task<DanubeClient> Connect(string? name, int handlers = 16) => DanubeClient.ConnectAsync(_broker.Url, new DanubeClientOptions
    {
        ClientName = name,
        MaxConcurrentHandlers = handlers,
        CloseTimeout = TimeSpan.FromSeconds(2),
        ReconnectDelay = TimeSpan.FromMilliseconds(5),
        MaxReconnectDelay = TimeSpan.FromMilliseconds(20),
    });

    private static async ValueTask<ReadOnlyMemory<byte>> Echo(PeerMessage request, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return Bytes($"{request.Source} {request.Id} {Text(request.Payload)}");
    }

    private Task<ReadOnlyMemory<byte>> Ask(string text, string id = "echo", string target = "answering", TimeSpan? timeout = null) =>
        _asking.RequestAsync(target, id, Bytes(text), timeout ?? Hang);

    [Fact]
    public async Task A_request_is_answered()
    {
        using IDisposable registration = _answering.OnRequest("echo", Echo);
        Assert.Equal("asking echo hello", Text(await Ask("hello")));
        Assert.Equal("asking echo ", Text(await Ask("")));
        ReadOnlyMemory<byte>[] all = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Ask($"{i}")));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"asking echo {i}"), all.Select(Text));
    }

    [Fact]
    public async Task Errors_come_back_with_their_code()
    {
        _answering.OnRequest("known", (_, _) => throw new DanubeException(ErrorCode.DiskLow, "no room"));
        _answering.OnRequest("defect", async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("oops");
        });
        _answering.OnRequest("huge", (_, _) => new(new byte[ProtocolLimits.DefaultMaxFrame]));
        DanubeException known = await Assert.ThrowsAsync<DanubeException>(() => Ask("", "known"));
        Assert.Equal(ErrorCode.DiskLow, known.Code);
        Assert.True(known.Retryable);
        Assert.NotNull(known.CorrelationId);
        DanubeException defect = await Assert.ThrowsAsync<DanubeException>(() => Ask("", "defect"));
        Assert.Equal(ErrorCode.Internal, defect.Code);
        Assert.Contains("oops", defect.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.FrameTooLarge, (await Assert.ThrowsAsync<DanubeException>(() => Ask("", "huge"))).Code);
        Assert.Equal(ErrorCode.UnknownRequest, (await Assert.ThrowsAsync<DanubeException>(() => Ask("", "nobody"))).Code);
        Assert.Equal(ErrorCode.Unroutable, (await Assert.ThrowsAsync<DanubeException>(() => Ask("", "echo", "nowhere"))).Code);
        await Assert.ThrowsAsync<DanubeException>(() => _asking.RequestAsync("answering", "echo", new byte[ProtocolLimits.DefaultMaxFrame]));
    }

    [Fact]
    public async Task A_late_answer_ends_in_a_timeout_and_does_not_disturb_the_next_one()
    {
        var release = new TaskCompletionSource();
        _answering.OnRequest("echo", async (request, _) =>
        {
            if (Text(request.Payload) == "slow")
            {
                await release.Task;
            }

            return request.Payload;
        });
        Assert.Equal(ErrorCode.TimedOut, (await Assert.ThrowsAsync<DanubeException>(() => Ask("slow", timeout: TimeSpan.FromMilliseconds(50)))).Code);
        release.SetResult();
        Assert.Equal("next", Text(await Ask("next")));
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _asking.RequestAsync("answering", "echo", default, cancellationToken: cancel.Token));
    }

    [Fact]
    public async Task Names_and_ids_that_are_the_brokers_are_refused_here()
    {
        foreach (string name in new[] { "broker", "$x", "", new string('x', 33), "a\nb" })
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => Connect(name));
            await Assert.ThrowsAnyAsync<ArgumentException>(() => Ask("", target: name));
        }

        foreach (string id in new[] { "$hello", "", new string('x', 33) })
        {
            Assert.ThrowsAny<ArgumentException>(() => _answering.OnRequest(id, Echo));
            Assert.ThrowsAny<ArgumentException>(() => _answering.OnEvent(id, (_, _) => default));
            await Assert.ThrowsAnyAsync<ArgumentException>(() => Ask("", id));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await _asking.SendEventAsync("answering", id, default));
        }

        _answering.OnRequest("echo", Echo);
        Assert.Throws<InvalidOperationException>(() => _answering.OnRequest("echo", Echo));
    }

    [Fact]
    public async Task One_connection_of_a_client_has_the_name_and_made_up_names_differ()
    {
        await using DanubeClient one = await Connect(null);
        await using DanubeClient two = await Connect(null);
        Assert.NotEqual(one.Name, two.Name);
        Assert.InRange(Encoding.UTF8.GetByteCount(one.Name), 1, 32);
        await using Consumer consumer = await one.SubscribeAsync(new ConsumerOptions { Topic = "/t/x", Subscription = "s" });
        Assert.Equal(["asking", "answering", one.Name, two.Name, null], _broker.ClientNames);
    }

    [Fact]
    public async Task Handlers_run_a_bounded_number_at_a_time_and_what_does_not_fit_the_queue_is_refused()
    {
        await using DanubeClient small = await Connect("small", handlers: 2);
        var release = new TaskCompletionSource();
        int running = 0, most = 0;
        small.OnRequest("slow", async (request, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await release.Task;
            Interlocked.Decrement(ref running);
            return request.Payload;
        });
        int events = 0;
        small.OnEvent("e", (_, _) =>
        {
            Interlocked.Increment(ref events);
            return default;
        });
        Task<ReadOnlyMemory<byte>>[] first = [Ask("a", "slow", "small"), Ask("b", "slow", "small")];
        await ProducerTests.Eventually(() => Volatile.Read(ref running) == 2); // They have left the queue, so that it has room for exactly as many as it takes.
        Task<ReadOnlyMemory<byte>>[] all = [.. first, .. Enumerable.Range(0, 1024 + 10).Select(i => Ask($"{i}", "slow", "small"))];
        await ProducerTests.Eventually(() => all.Count(t => t.IsFaulted) == 10);
        await _asking.SendEventAsync("small", "e", default);
        await ProducerTests.Eventually(() => small.DroppedEvents == 1);
        release.SetResult();
        DanubeException[] refused = [.. await Task.WhenAll(all.Where(t => t.IsFaulted).Select(t => Assert.ThrowsAsync<DanubeException>(() => t)))];
        Assert.All(refused, e => Assert.Equal(ErrorCode.LimitExceeded, e.Code));
        Assert.All(refused, e => Assert.True(e.Retryable));
        await Task.WhenAll(all.Where(t => !t.IsFaulted)).WaitAsync(Hang);
        Assert.Equal(2, most);
        await _asking.SendEventAsync("small", "e", default);
        await ProducerTests.Eventually(() => events == 1);
    }

    [Fact]
    public async Task Events_arrive()
    {
        var seen = new List<string>();
        _answering.OnEvent("note", (e, _) =>
        {
            lock (seen)
            {
                seen.Add($"{e.Source} {Text(e.Payload)}");
            }

            return default;
        });
        for (int i = 0; i < 300; i++)
        {
            await _asking.SendEventAsync("answering", "note", Bytes($"{i}"));
        }

        byte[] large = new byte[600_000];
        for (int i = 0; i < 10; i++)
        {
            await _asking.SendEventAsync("answering", "nobody listens", large);
        }

        await _asking.SendEventAsync("nowhere", "note", default);
        await ProducerTests.Eventually(() => seen.Count == 300 && _answering.DroppedEvents == 10);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"asking {i}").Order(), seen.Order());
        Assert.Equal(2, _broker.Connections);
    }

    [Fact]
    public async Task After_a_lost_connection_both_sides_are_there_again_without_producers_and_consumers()
    {
        _answering.OnRequest("echo", Echo);
        for (int round = 0; round < 3; round++)
        {
            int connections = _broker.NamesSince(0).Length;
            _broker.KillConnections();
            await ProducerTests.Eventually(() => _broker.NamesSince(connections).Contains("answering"));
            await ProducerTests.Eventually(() => Attempt(round) == $"asking echo {round}");
        }

        string Attempt(int round)
        {
            try
            {
                return Text(Ask($"{round}").GetAwaiter().GetResult());
            }
            catch (DanubeException)
            {
                return "";
            }
        }
    }

    [Fact]
    public async Task A_request_on_its_way_when_the_connection_is_lost_fails()
    {
        var asked = new TaskCompletionSource();
        _answering.OnRequest("never", async (_, cancellationToken) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return default;
        });
        Task<ReadOnlyMemory<byte>> ask = Ask("", "never");
        await asked.Task.WaitAsync(Hang);
        _broker.KillConnections();
        Assert.Equal(ErrorCode.Unavailable, (await Assert.ThrowsAsync<DanubeException>(() => ask.WaitAsync(Hang))).Code);
    }

    [Fact]
    public async Task Another_client_cannot_answer_a_request_to_the_broker()
    {
        // The counters are alike, so a forger can guess a correlation id of the control plane.
        _broker.HeldRequest = Commands.ListTopics;
        Task<IReadOnlyList<TopicInfo>> list = _answering.ListTopicsAsync();
        await ProducerTests.Eventually(() => _broker.HeldRequests.Count == 1);
        Assert.True(EnvelopeCodec.TryDecode(_broker.HeldRequests[0].Frame, EnvelopeMode.Strict, int.MaxValue, out Envelope? held, out _));
        lock (_broker.Gate)
        {
            foreach (FrameType type in new[] { FrameType.Response, FrameType.Error })
            {
                _broker.Named["answering"].Send(EnvelopeCodec.Encode(
                    new Envelope { Type = type, Id = "x", Source = "forger", Target = "answering", CorrelationId = held!.CorrelationId, Error = "no" }, PayloadEncoding.Json));
            }
        }

        await _answering.PingAsync();
        Assert.False(list.IsCompleted);
        _broker.ReleaseRequests();
        await list.WaitAsync(Hang);
    }

    [Fact]
    public async Task Only_the_client_that_was_asked_can_answer()
    {
        // Correlation ids are counted, and whoever was asked once has seen how those of a connection end.
        var release = new TaskCompletionSource();
        var asked = new TaskCompletionSource<string>();
        _broker.OnRoute = message => asked.TrySetResult(message.CorrelationId);
        _answering.OnRequest("slow", async (request, _) =>
        {
            await release.Task;
            return request.Payload;
        });
        Task<ReadOnlyMemory<byte>> ask = Ask("true", "slow");
        string correlation = await asked.Task.WaitAsync(Hang);
        lock (_broker.Gate)
        {
            foreach (FrameType type in new[] { FrameType.Response, FrameType.Error })
            {
                _broker.Named["asking"].Send(EnvelopeCodec.Encode(
                    new Envelope { Type = type, Id = "slow", Source = "forger", Target = "asking", CorrelationId = correlation, Error = "no" }, PayloadEncoding.Json));
            }
        }

        await _asking.PingAsync();
        Assert.False(ask.IsCompleted);
        release.SetResult();
        Assert.Equal("true", Text(await ask.WaitAsync(Hang)));
    }

    [Fact]
    public async Task Disposing_ends_the_handlers()
    {
        var asked = new TaskCompletionSource();
        bool cancelled = false;
        _answering.OnRequest("wait", async (_, cancellationToken) =>
        {
            asked.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                cancelled = true;
                throw;
            }

            return default;
        });
        Task<ReadOnlyMemory<byte>> ask = Ask("", "wait");
        await asked.Task.WaitAsync(Hang);
        await _answering.DisposeAsync();
        await ProducerTests.Eventually(() => Volatile.Read(ref cancelled));
        Assert.Equal(ErrorCode.Unavailable, (await Assert.ThrowsAsync<DanubeException>(() => ask.WaitAsync(Hang))).Code);
    }
}
