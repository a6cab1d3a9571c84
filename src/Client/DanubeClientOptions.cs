using System.Globalization;
using System.Reflection;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Settings of a <see cref="DanubeClient"/>. The defaults suit a broker in the same data centre.</summary>
public sealed class DanubeClientOptions
{
    // With the random part, 32 bytes at most.
    private const int MaxProgramName = 15;

    /// <summary>
    /// Name under which other clients reach this one (<see cref="DanubeClient.OnRequest"/>): 1 to 32 bytes of UTF-8, not <c>broker</c>, not beginning with
    /// <c>$</c>. Of several clients with one name only the first is reached, and can ask others. Null makes up a name that nobody else has.
    /// </summary>
    public string? ClientName { get; init; }

    /// <summary>Credentials sent in HELLO; null for none.</summary>
    public string? Credentials { get; init; }

    /// <summary>Time for connecting and HELLO together, per attempt. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for the answer to a request (create, subscribe, seek, ...). Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a dispose waits for outstanding acknowledgements. Default 10 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which the broker is pinged. Default 10 s.</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which the connection counts as dead and is made again. Default 30 s.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>First pause between two attempts to reconnect; it doubles up to <see cref="MaxReconnectDelay"/>, less a random part of up to a half. Default 50 ms.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Longest pause between two attempts to reconnect. Default 5 s.</summary>
    public TimeSpan MaxReconnectDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After this long without a connection, producers and consumers fail with <see cref="ErrorCode.Unavailable"/>. Default: they wait for ever.</summary>
    public TimeSpan GiveUpAfter { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Requests and events of other clients that are handled at the same time. Default 16.</summary>
    public int MaxConcurrentHandlers { get; init; } = 16;

    /// <summary>Largest frame to agree on, bytes: 64 KiB to 64 MiB. Default 8 MiB. Larger messages travel in chunks.</summary>
    public int MaxFrame { get; init; } = ProtocolLimits.DefaultMaxFrame;

    /// <summary>Told when a connection is lost, made again, or given up. Called on a pool thread; must return quickly. Null for none.</summary>
    public Action<ConnectionChange>? OnConnectionChange { get; init; }

    /// <summary>Clock for time stamps, timeouts and back-off.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (!PeerNames.IsName(name))
        {
            throw new ArgumentException($"'{name}' cannot be the name of a client, which takes {PeerNames.NameRule}.", parameter);
        }
    }

    /// <summary>The name given, or one like <c>program-1a2b3c4d</c>.</summary>
    internal string MakeName()
    {
        if (ClientName is not null)
        {
            return ClientName;
        }

        string program = new([.. (Assembly.GetEntryAssembly()?.GetName().Name ?? "client").Where(char.IsAsciiLetterOrDigit).Take(MaxProgramName)]);
        return string.Create(CultureInfo.InvariantCulture, $"{program}-{Random.Shared.NextInt64():x16}");
    }

    internal void Validate()
    {
        if (ClientName is not null)
        {
            CheckName(ClientName, nameof(ClientName));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConcurrentHandlers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxFrame, ProtocolLimits.MaxFrameBeforeHello);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxFrame, ProtocolLimits.MaxNegotiableFrame);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RequestTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(PingAfter, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(DeadAfter, PingAfter);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ReconnectDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxReconnectDelay, ReconnectDelay);
    }
}

/// <summary>What happened to a connection.</summary>
public enum ConnectionState
{
    /// <summary>The connection broke; attempts to make it again have begun.</summary>
    Lost,

    /// <summary>The connection is there again; producers and consumers are being attached.</summary>
    Restored,

    /// <summary><see cref="DanubeClientOptions.GiveUpAfter"/> is over; producers and consumers have failed.</summary>
    GivenUp,
}

/// <summary>A change told to <see cref="DanubeClientOptions.OnConnectionChange"/>.</summary>
/// <param name="State">What happened.</param>
/// <param name="Cause">Why the connection broke; null for <see cref="ConnectionState.Restored"/>.</param>
public readonly record struct ConnectionChange(ConnectionState State, Exception? Cause);
