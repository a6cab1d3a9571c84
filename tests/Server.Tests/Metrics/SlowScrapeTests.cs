using System.Net;
using Danube.Fast.Core;
using Danube.Fast.Server.Http;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace Danube.Fast.Server.Tests;

/// <summary>A page of metrics is held in memory while it is sent: a scraper that does not take it within 30 s gets no whole one, and nothing is kept for it.</summary>
public sealed class SlowScrapeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30), Guard = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_stream_that_takes_nothing_is_given_up_after_thirty_seconds()
    {
        var stream = new StuckStream();
        Task page = new MetricsPage(Registry(parts: 3, () => { }), _time).WriteAsync(stream, PageFormat.Text, null, CancellationToken.None);
        await stream.IsAsked.WaitAsync(Guard);
        _time.Advance(Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(stream.IsGivenUp);
        Assert.False(page.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => page.WaitAsync(Guard));
        Assert.True(stream.IsGivenUp);

        // Its buffers serve the next page, which is whole.
        using var taken = new MemoryStream();
        await new MetricsPage(Registry(parts: 1, () => { }), _time).WriteAsync(taken, PageFormat.OpenMetrics, null, CancellationToken.None);
        Assert.True(MetricPage.Parse(System.Text.Encoding.UTF8.GetString(taken.ToArray())).HasEnd);
    }

    [Fact]
    public async Task A_scraper_that_reads_no_further_does_not_get_what_looks_like_a_whole_page()
    {
        // Far more than the buffers of both ends of a connection hold.
        const int Parts = 1_000;
        using var begun = new ManualResetEventSlim();
        var page = new MetricsPage(Registry(Parts, begun.Set), _time);

        // Nothing but the page is asked for.
        var api = new AdminApi(null!, null!, page, null!, null!, () => throw new NotSupportedException(), NullLogger.Instance);
        var answered = new TaskCompletionSource();
        await using HttpEndpoint endpoint = await HttpEndpoint.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), context => AnswerAsync(api.HandleAsync(context), answered), CancellationToken.None);
        using var http = new HttpClient { Timeout = Guard };
        using HttpResponseMessage response = await http.GetAsync($"http://{endpoint.EndPoint}/metrics", HttpCompletionOption.ResponseHeadersRead);
        Assert.True(begun.Wait(Guard));
        Assert.False(answered.Task.IsCompleted);
        _time.Advance(Limit);
        await answered.Task.WaitAsync(Guard);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.CopyToAsync(Stream.Null));
    }

    private static async Task AnswerAsync(Task handled, TaskCompletionSource answered)
    {
        try
        {
            await handled;
        }
        finally
        {
            answered.TrySetResult();
        }
    }

    // Each family is a part of about 80 KB.
    private static MetricRegistry Registry(int parts, Action onRead)
    {
        var registry = new MetricRegistry();
        LabelSet[] labels = [.. Enumerable.Range(0, 100).Select(i => new LabelSet(["name"], new string('x', 800) + i))];
        for (int i = 0; i < parts; i++)
        {
            registry.Gauge("test", $"danube_{i}", "Help.", ["name"], (_, sink) =>
            {
                onRead();
                foreach (LabelSet label in labels)
                {
                    sink.Sample(label, 1);
                }
            });
        }

        return registry;
    }

    /// <summary>Takes nothing, until it is told that nobody waits any more.</summary>
    private sealed class StuckStream : Stream
    {
        private readonly TaskCompletionSource _asked = new();

        public Task IsAsked => _asked.Task;

        public bool IsGivenUp { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _asked.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                IsGivenUp = true;
            }
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
