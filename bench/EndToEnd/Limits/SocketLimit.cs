using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Limits;

/// <summary>
/// What loopback TCP gives on this machine when nobody looks at the bytes: one hop (producer to broker), relay (producer to broker to consumer), and
/// the ping-pong round trip. Blocking sockets, one thread per role, NoDelay.
/// </summary>
public static class SocketLimit
{
    /// <summary>Bytes per second through one hop.</summary>
    public static double OneHop(int chunkBytes, TimeSpan duration) => Stream(chunkBytes, duration, false);

    /// <summary>Bytes per second from a source through a relaying thread to a sink.</summary>
    public static double Relay(int chunkBytes, TimeSpan duration) => Stream(chunkBytes, duration, true);

    /// <summary>Round trips of <paramref name="requestBytes"/> there and <paramref name="replyBytes"/> back, in ns.</summary>
    public static LatencyHistogram RoundTrip(int requestBytes, int replyBytes, TimeSpan duration)
    {
        (Socket near, Socket far) = Pair();
        var echo = new Thread(() => Answer(far, requestBytes, replyBytes));
        echo.Start();
        var histogram = new LatencyHistogram();
        byte[] request = new byte[requestBytes], reply = new byte[replyBytes];
        long start = Stopwatch.GetTimestamp();
        long warmUntil = start + (long)(duration.TotalSeconds * Stopwatch.Frequency / 4);
        long until = start + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        for (long before = start; before < until;)
        {
            near.Send(request);
            ReadExactly(near, reply);
            long after = Stopwatch.GetTimestamp();
            if (before > warmUntil)
            {
                histogram.Record((long)Stopwatch.GetElapsedTime(before, after).TotalNanoseconds);
            }

            before = after;
        }

        near.Dispose();
        echo.Join();
        far.Dispose();
        return histogram;
    }

    private static double Stream(int chunkBytes, TimeSpan duration, bool hasRelay)
    {
        (Socket source, Socket first) = Pair();
        Socket sink = first;
        var threads = new List<Thread>();
        (Socket Near, Socket Far) second = default;
        if (hasRelay)
        {
            second = Pair();
            sink = second.Far;
            threads.Add(new Thread(() => Forward(first, second.Near, chunkBytes)));
        }

        threads.Add(new Thread(() => Produce(source, chunkBytes)));
        threads.ForEach(t => t.Start());
        double rate = Measure(sink, chunkBytes, duration);
        sink.Dispose();
        first.Dispose();
        source.Dispose();
        second.Near?.Dispose();
        threads.ForEach(t => t.Join());
        return rate;
    }

    private static double Measure(Socket sink, int chunkBytes, TimeSpan duration)
    {
        byte[] buffer = new byte[chunkBytes];
        long start = Stopwatch.GetTimestamp();
        long warmUntil = start + (long)(duration.TotalSeconds * Stopwatch.Frequency / 4);
        long until = warmUntil + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        long bytes = 0, from = 0, now = start;
        while (now < until)
        {
            int read = sink.Receive(buffer);
            now = Stopwatch.GetTimestamp();
            if (from != 0)
            {
                bytes += read;
            }
            else if (now >= warmUntil)
            {
                from = now;
            }
        }

        return bytes / Stopwatch.GetElapsedTime(from, now).TotalSeconds;
    }

    private static void Produce(Socket socket, int chunkBytes)
    {
        byte[] chunk = new byte[chunkBytes];
        Quietly(() =>
        {
            while (true)
            {
                socket.Send(chunk);
            }
        });
    }

    private static void Forward(Socket from, Socket to, int chunkBytes)
    {
        byte[] chunk = new byte[chunkBytes];
        Quietly(() =>
        {
            for (int read = 1; read > 0;)
            {
                read = from.Receive(chunk);
                to.Send(chunk.AsSpan(0, read));
            }
        });
    }

    private static void Answer(Socket socket, int requestBytes, int replyBytes)
    {
        byte[] request = new byte[requestBytes], reply = new byte[replyBytes];
        Quietly(() =>
        {
            while (ReadExactly(socket, request))
            {
                socket.Send(reply);
            }
        });
    }

    private static bool ReadExactly(Socket socket, byte[] buffer)
    {
        for (int have = 0; have < buffer.Length;)
        {
            int read = socket.Receive(buffer.AsSpan(have));
            if (read == 0)
            {
                return false;
            }

            have += read;
        }

        return true;
    }

    // The measuring side ends a run by closing its socket under the others.
    private static void Quietly(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private static (Socket Near, Socket Far) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.Connect(listener.LocalEndPoint!);
        Socket far = listener.Accept();
        far.NoDelay = true;
        return (near, far);
    }
}
