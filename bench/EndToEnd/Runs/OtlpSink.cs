using System.Net;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>Takes OTLP over HTTP from a broker, counts it and throws it away.</summary>
public sealed class OtlpSink : IDisposable
{
    private const int StartAttempts = 20;

    private readonly HttpListener _listener;
    private int _exports;
    private long _bytes;

    private OtlpSink(HttpListener listener, string address)
    {
        _listener = listener;
        Address = address;
        _ = ServeAsync();
    }

    /// <summary>What <c>otlp.endpoint</c> is set to.</summary>
    public string Address { get; }

    /// <summary>Requests so far.</summary>
    public int Exports => Volatile.Read(ref _exports);

    /// <summary>Bytes in them.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <exception cref="HttpListenerException">No port was free.</exception>
    public static OtlpSink Start()
    {
        for (int attempt = 1; ; attempt++)
        {
            // Somebody may take the port in between: then another one.
            string address = $"http://127.0.0.1:{BrokerOptions.FreePort()}/";
            var listener = new HttpListener { Prefixes = { address } };
            try
            {
                listener.Start();
                return new OtlpSink(listener, address);
            }
            catch (HttpListenerException) when (attempt < StartAttempts)
            {
                listener.Close();
            }
        }
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        byte[] piece = new byte[256 * 1024];
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                int read;
                while ((read = await context.Request.InputStream.ReadAsync(piece)) > 0)
                {
                    Interlocked.Add(ref _bytes, read);
                }

                Interlocked.Increment(ref _exports);
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // It was closed, with the run.
        }
    }
}
