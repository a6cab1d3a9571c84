using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Settings of a <see cref="DanubeClient"/>. The defaults suit a broker in the same data centre.</summary>
public sealed class DanubeClientOptions
{
    /// <summary>Name shown by the broker for this client; null takes the process name.</summary>
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

    /// <summary>Largest frame to agree on, bytes: 64 KiB to 64 MiB. Default 8 MiB. A message must fit into one frame.</summary>
    public int MaxFrame { get; init; } = ProtocolLimits.DefaultMaxFrame;

    /// <summary>Told when a connection is lost, made again, or given up. Called on a pool thread; must return quickly. Null for none.</summary>
    public Action<ConnectionChange>? OnConnectionChange { get; init; }

    /// <summary>Clock for time stamps, timeouts and back-off.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal void Validate()
    {
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
