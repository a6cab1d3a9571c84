using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Producers and consumers: to the broker that serves their topic, and on to the next one when the topic moves.</summary>
internal sealed partial class BrokerRoutes
{
    /// <summary>Opens a channel for the first time, at the broker that serves the topic. A topic that nobody serves yet is waited for, as long as a request may take.</summary>
    /// <exception cref="DanubeException">A broker refuses, or cannot be reached; the channel is at fault then.</exception>
    public async Task AttachAsync(BrokerChannel channel, CancellationToken cancellationToken)
    {
        try
        {
            var patience = new Patience(Options);
            BrokerLink? link = null;
            for (int redirects = 0; ;)
            {
                link ??= (await ConnectAsync(cancellationToken).ConfigureAwait(false)).Link;
                try
                {
                    channel.Link = link;
                    await link.AttachAsync(channel, cancellationToken).ConfigureAwait(false);
                    return;
                }
                catch (DanubeException e) when (redirects < MaxRedirects && TargetOf(e, link.Address) is { } target)
                {
                    redirects++;
                    link = LinkTo(target);
                }
                catch (DanubeException e) when (patience.IsWorthIt(e, wasSent: redirects > 0))
                {
                    channel.OnAttachRefused(e);
                    await patience.PauseAsync(e, cancellationToken).ConfigureAwait(false);
                    redirects = 0;
                    link = null;
                }
            }
        }
        catch (Exception e)
        {
            channel.Fault(e as DanubeException ?? new DanubeException(ErrorCode.EndOfStream, "Opening the channel was given up.", e));
            throw;
        }
    }

    /// <summary>
    /// Where a channel goes whose broker refuses it: to the broker that the refusal names, or that another broker knows. Null: it stays, and asks again later.
    /// </summary>
    public async Task<BrokerLink?> NextAsync(BrokerChannel channel, DanubeException refusal, BrokerAddress sender, CancellationToken cancellationToken)
    {
        if (refusal.Redirect is null)
        {
            return null;
        }

        if (channel.Redirects >= MaxRedirects)
        {
            channel.Redirects = 0; // A pause, then the same again.
            return null;
        }

        BrokerAddress? target = TargetOf(refusal, sender)
            ?? (refusal.Code is ErrorCode.OwnerUnproven ? await FindAsync(channel.Topic, sender, cancellationToken).ConfigureAwait(false) : null);
        if (target is null || target == sender)
        {
            return null;
        }

        channel.Redirects++;
        return LinkTo(target.Value);
    }

    /// <summary>Channels of a link that cannot reach its broker: those whose topic is served elsewhere by now go there.</summary>
    public async Task LeaveAsync(BrokerLink link, CancellationToken cancellationToken)
    {
        bool isAlone;
        lock (_gate)
        {
            isAlone = _known.Count == 1;
        }

        if (isAlone)
        {
            return;
        }

        foreach (BrokerChannel channel in link.Channels())
        {
            if (await FindAsync(channel.Topic, link.Address, cancellationToken).ConfigureAwait(false) is { } target && target != link.Address)
            {
                link.Detach(channel);
                LinkTo(target).Adopt(channel);
            }
        }
    }

    /// <summary>Asks the other brokers where a topic is served. Null: none that answers knows, or it is not served.</summary>
    private async Task<BrokerAddress?> FindAsync(string topic, BrokerAddress except, CancellationToken cancellationToken)
    {
        foreach (BrokerAddress address in Candidates(Home.Address).Where(a => a != except))
        {
            try
            {
                Connection connection = await LinkTo(address).ConnectAsync(cancellationToken).ConfigureAwait(false);
                long seen = Volatile.Read(ref _revision);
                LookupReply reply = await connection.RequestAsync(
                    Commands.Lookup, new LookupRequest { Topic = topic, Revision = seen }, ControlJson.Default.LookupRequest,
                    ControlJson.Default.LookupReply, null, Options.RequestTimeout, cancellationToken).ConfigureAwait(false);
                NoteRevision(reply.Revision);

                // A broker that answers with less than it was asked for has looked: the cluster's records were restored from an older copy.
                _ = reply.Revision < seen ? Interlocked.CompareExchange(ref _revision, reply.Revision, seen) : seen;
                return reply.Result != LookupResults.Connect ? null
                    : BrokerAddress.TryParse(reply.Address, out BrokerAddress target) ? target
                    : address;
            }
            catch (DanubeException)
            {
                // The next one may know.
            }
        }

        return null;
    }
}
