namespace Danube.Fast.Client;

/// <summary>
/// A producer or a consumer of one partition, as its connection sees it. A channel outlives connections: it is opened again on each.
/// Frames that name a former channel number never reach it. Runs on: the receiving thread of the connection, unless a member says otherwise.
/// </summary>
internal abstract class BrokerChannel(BrokerLink link)
{
    private BrokerLink _link = link;

    /// <summary>The way to the broker that serves the topic, as far as the client knows. Changes when the topic moves. Runs on: any thread.</summary>
    public BrokerLink Link
    {
        get => Volatile.Read(ref _link);
        set => Volatile.Write(ref _link, value);
    }

    /// <summary>Name of the topic or partition.</summary>
    public abstract string Topic { get; }

    /// <summary>Redirects in a row, without an opening in between. Runs on: the pool, one at a time.</summary>
    public int Redirects { get; set; }

    /// <summary>Connection on which an attempt to open is running; under the link's lock.</summary>
    public Connection? OpeningOn { get; set; }

    /// <summary>Partitions of the topic as the broker said it: more than 1 means that this is not a channel but the question how many there are.</summary>
    public int Partitions { get; protected set; } = 1;

    /// <summary>True when the channel works on <paramref name="connection"/>. Runs on: any thread.</summary>
    public abstract bool IsOpenOn(Connection connection);

    /// <summary>
    /// Asks the broker for a channel and takes it into use. Runs on: the pool; one at a time. After a failure the answer can still come: a channel
    /// that is at fault by then gives it back.
    /// </summary>
    public abstract Task OpenAsync(Connection connection, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>The broker has acknowledged frames. The frame is sealed and consistent in length.</summary>
    public virtual void OnPublishAck(Connection connection, ReadOnlySpan<byte> frame)
    {
    }

    /// <summary>A deliver lies in <paramref name="block"/>; to keep it, take a reference.</summary>
    public virtual void OnDeliver(Connection connection, ReceiveBlock block, int at, int length)
    {
    }

    /// <summary>The broker refuses to open the channel for the first time, for a reason that may pass, and is asked again. Runs on: the pool.</summary>
    public virtual void OnAttachRefused(DanubeException error)
    {
    }

    /// <summary>
    /// The broker refuses to open the channel again, for a reason that may pass. Returns how long to wait for the next attempt at the most. Runs on: the pool; not at the
    /// same time as <see cref="OpenAsync"/>.
    /// </summary>
    public virtual TimeSpan OnOpenRefused(DanubeException error) => TimeSpan.MaxValue;

    /// <summary>An error frame named this channel.</summary>
    public abstract void OnStreamError(Connection connection, DanubeException error);

    /// <summary>The broker has closed the channel; it is unregistered already.</summary>
    public abstract void OnClosed(Connection connection, DanubeException cause);

    /// <summary>The connection is gone and touches no buffer any more. Runs on: the pool.</summary>
    public abstract void OnLost(Connection connection);

    /// <summary>Nothing will bring the channel back. Runs on: any thread.</summary>
    public abstract void Fault(DanubeException cause);

    /// <summary>Once per second while connected. Runs on: the timer, under the link's lock.</summary>
    public virtual void OnTick()
    {
    }
}
