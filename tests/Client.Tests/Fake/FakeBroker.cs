using System.Net;
using System.Net.Sockets;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>
/// A small broker in this process, made to misbehave on demand: one blocking thread per connection, topics in memory, one lock over everything.
/// Its data path allocates nothing, so that allocations of the client can be counted beside it.
/// </summary>
internal sealed class FakeBroker : IDisposable
{
    private readonly List<FakeSession> _sessions = [];
    private readonly Dictionary<string, FakeTopic> _topics = [];
    private Socket _listener;

    public FakeBroker()
    {
        _listener = Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
    }

    public Lock Gate { get; } = new();
    public int Port { get; }
    public string Url => $"danube://127.0.0.1:{Port}";

    /// <summary>Publishes are stored but not acknowledged while set; <see cref="ReleaseAcks"/> catches up.</summary>
    public bool HoldAcks { get; set; }

    /// <summary>Publishes are read and forgotten while set, as if the network had lost them.</summary>
    public bool Blackhole { get; set; }

    /// <summary>Decides on each publish frame: None stores it.</summary>
    public Func<StoredFrameInfo, ErrorCode>? OnPublish { get; set; }

    /// <summary>Changes the bytes of a deliver (prefix and run) before it leaves.</summary>
    public Action<byte[], int>? OnDeliver { get; set; }

    /// <summary>Answers a request with an error while it returns a code.</summary>
    public Func<string, ErrorCode>? OnRequest { get; set; }

    /// <summary>Where a topic is, when it is not here: refuses what names it with this code and redirect. Under no lock.</summary>
    public Func<string, (ErrorCode Code, RedirectPayload Redirect)?>? OnTopic { get; set; }

    /// <summary>Answers lookups; null: every topic is here.</summary>
    public Func<LookupRequest, LookupReply>? OnLookup { get; set; }

    /// <summary>The brokers that HELLO names.</summary>
    public string[]? Brokers { get; set; }

    /// <summary>Epoch of every topic here.</summary>
    public uint TopicEpoch { get; set; }

    /// <summary>Frames of one type that arrived, copied; only types that are watched.</summary>
    public Dictionary<FrameType, List<byte[]>> Watched { get; } = [];

    /// <summary>Partitions of base topics.</summary>
    public Dictionary<string, int> Partitioned { get; } = [];

    /// <summary>Requests of this name are answered by <see cref="ReleaseRequests"/> only.</summary>
    public string? HeldRequest { get; set; }
    public List<(FakeSession Session, byte[] Frame)> HeldRequests { get; } = [];
    public string[] Codecs { get; set; } = ["brotli", "deflate"];

    /// <summary>Refuses HELLO with this code.</summary>
    public ErrorCode RefuseHello { get; set; }
    public long Window { get; set; } = ProtocolLimits.DefaultProducerWindow;
    public int MaxFrame { get; set; } = ProtocolLimits.DefaultMaxFrame;

    /// <summary>A frame with this sequence closes the connection.</summary>
    public ulong PoisonAt { get; set; }
    /// <summary>What HELLOs gave as client name, in order.</summary>
    public List<string?> ClientNames { get; } = [];

    /// <summary>Connections by client name.</summary>
    public Dictionary<string, FakeSession> Named { get; } = [];

    /// <summary>Sees what is passed on from client to client.</summary>
    public Action<Envelope>? OnRoute { get; set; }

    /// <summary>Positions that readers asked for, in order.</summary>
    public List<string> ReaderStarts { get; } = [];
    public List<uint> ClosedByClient { get; } = [];
    public bool Silent { get; set; }
    public int Connections { get; private set; }
    public uint LastChannel { get; set; }

    public FakeTopic Topic(string name)
    {
        lock (Gate)
        {
            if (!_topics.TryGetValue(name, out FakeTopic? topic))
            {
                _topics.Add(name, topic = new FakeTopic(this));
            }

            return topic;
        }
    }

    /// <summary>What HELLOs gave as client name, but for the first so many.</summary>
    public string?[] NamesSince(int count)
    {
        lock (Gate)
        {
            return [.. ClientNames.Skip(count)];
        }
    }

    public void Watch(FrameType type)
    {
        lock (Gate)
        {
            Watched[type] = [];
        }
    }

    public byte[][] Seen(FrameType type)
    {
        lock (Gate)
        {
            return [.. Watched[type]];
        }
    }

    /// <summary>Breaks all connections; new ones are taken again.</summary>
    public void KillConnections()
    {
        FakeSession[] sessions;
        lock (Gate)
        {
            sessions = [.. _sessions];
            _sessions.Clear();
        }

        foreach (FakeSession session in sessions)
        {
            session.Kill();
        }
    }

    /// <summary>Nothing listens until <see cref="Resume"/>.</summary>
    public void Suspend()
    {
        _listener.Dispose();
        KillConnections();
    }

    public void Resume() => _listener = Listen(Port);

    public void ReleaseAcks()
    {
        lock (Gate)
        {
            HoldAcks = false;
            foreach (FakeTopic topic in _topics.Values)
            {
                topic.SendHeldAcks();
            }
        }
    }

    public void ReleaseRequests()
    {
        lock (Gate)
        {
            HeldRequest = null;
            foreach ((FakeSession session, byte[] frame) in HeldRequests)
            {
                session.OnEnvelope(frame);
            }

            HeldRequests.Clear();
        }
    }

    /// <summary>Closes all channels of the client.</summary>
    public void CloseChannels(ErrorCode code)
    {
        lock (Gate)
        {
            foreach (FakeSession session in _sessions)
            {
                session.CloseChannels(code);
            }
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        KillConnections();
    }

    internal void Remove(FakeSession session)
    {
        lock (Gate)
        {
            _sessions.Remove(session);
        }
    }

    private Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(64);
        new Thread(() => Accept(listener)) { IsBackground = true, Name = "fake broker" }.Start();
        return listener;
    }

    private void Accept(Socket listener)
    {
        try
        {
            while (true)
            {
                var session = new FakeSession(this, listener.Accept());
                lock (Gate)
                {
                    _sessions.Add(session);
                    Connections++;
                }

                session.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed or suspended.
        }
    }
}

/// <summary>What a publish frame says.</summary>
internal readonly record struct StoredFrameInfo(string Topic, ulong Sequence, uint Count, ulong ProducerId);
