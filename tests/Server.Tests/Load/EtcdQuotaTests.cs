using System.Net;
using System.Net.Sockets;
using System.Text;
using Danube.Fast.Server.Load;

namespace Danube.Fast.Server.Tests;

/// <summary>What etcd's page of metrics says of its quota.</summary>
public sealed class EtcdQuotaTests
{
    [Theory]
    [InlineData("# HELP etcd_server_quota_backend_bytes Current.\n# TYPE etcd_server_quota_backend_bytes gauge\netcd_server_quota_backend_bytes 2.147483648e+09\nup 1\n", 2147483648L)]
    [InlineData("etcd_server_id 1\netcd_server_quota_backend_bytes 8192", 8192L)]
    [InlineData("up 1\nnot_etcd_server_quota_backend_bytes 7\n", null)]
    [InlineData("up 1\netcd_server_quota_backend_bytes many\n", null)]
    [InlineData("up 1\netcd_server_quota_backend_bytes 0\n", null)]
    public async Task Is_read_from_the_page(string page, long? expected)
    {
        using var server = new Page(page);
        Assert.Equal(expected, await new EtcdQuota([server.Address]).ReadAsync(default));
    }

    [Fact]
    public async Task Is_asked_of_the_next_one_when_one_does_not_answer()
    {
        using var server = new Page("up 1\netcd_server_quota_backend_bytes 4096\n");
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // Bound and not listening: refused.
        var dead = new Uri($"http://{nobody.LocalEndPoint}");
        Assert.Equal(4096, await new EtcdQuota([new Uri("https://127.0.0.1:1"), dead, server.Address]).ReadAsync(default));
        Assert.Null(await new EtcdQuota([new Uri("https://127.0.0.1:1"), dead]).ReadAsync(default));
    }

    /// <summary>Answers every request with one page.</summary>
    private sealed class Page : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Page(string page)
        {
            _listener.Start();
            _ = AnswerAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {page.Length}\r\nConnection: close\r\n\r\n{page}"));
        }

        public Uri Address => new($"http://{_listener.LocalEndpoint}");

        public void Dispose() => _listener.Dispose();

        private async Task AnswerAsync(byte[] answer)
        {
            byte[] asked = new byte[4096];
            try
            {
                while (true)
                {
                    using Socket client = await _listener.AcceptSocketAsync();
                    await client.ReceiveAsync(asked);
                    await client.SendAsync(answer);
                    client.Shutdown(SocketShutdown.Send);
                    while (await client.ReceiveAsync(asked) > 0)
                    {
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
