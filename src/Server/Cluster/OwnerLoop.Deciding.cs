namespace Danube.Fast.Server.Cluster;

// What comes next for one topic. Never waits: logs are opened and closed in the background, and the result comes back to the loop.
internal sealed partial class OwnerLoop
{
    private void Decide(OwnedTopic topic)
    {
        switch (topic.Phase)
        {
            case OwnerPhase.Idle:
                DecideIdle(topic);
                break;
            case OwnerPhase.Prepared:
                DecidePrepared(topic);
                break;
            case OwnerPhase.Serving:
                DecideServing(topic);
                break;
            case OwnerPhase.Stopped:
                DecideStopped(topic);
                break;
        }
    }

    private void DecideIdle(OwnedTopic topic)
    {
        if (topic.Rights.Known is not { } known || known.Owner != _me || known.State is AssignmentState.Released)
        {
            Forget(topic);
            return;
        }

        long session = _membership.Session;
        if (session == 0 || _isLeaving || !IsDue(topic.RetryAt))
        {
            return;
        }

        bool isAsked = topic.Rights.IsAskedToRelease;
        if (_actions.IsDeleting(topic.Name, known.TopicId))
        {
            // Nothing is open of it, and nothing will be.
            if (isAsked)
            {
                topic.EndOffset = known.StartOffset;
                topic.Rights.Stop();
                topic.Phase = OwnerPhase.Stopped;
                DecideStopped(topic);
            }
        }
        else if (isAsked || topic.Rights.Serves(session) || topic.Rights.ToServe(session, 0) is not null)
        {
            BeginPrepare(topic, known, session);
        }
    }

    // Only this one: a later one of the same name stays.
    private void Forget(OwnedTopic topic)
    {
        _owned.TryRemove(KeyValuePair.Create(topic.Name, topic));
        _toRetry.Remove(topic);
    }

    private void DecidePrepared(OwnedTopic topic)
    {
        long session = _membership.Session;
        Assignment? known = topic.Rights.Known;
        if (known is null || known.Owner != _me || known.TopicId != topic.TopicId || (session != 0 && session != topic.Session))
        {
            BeginStop(topic, StopReason.NotOwner);
        }
        else if (topic.Rights.Serves(topic.Session))
        {
            // Written already: by a write whose answer got lost, or before the topic was closed under this session.
            if (topic.Epoch <= known.Epoch)
            {
                Activate(topic, known);
                if (_isLeaving)
                {
                    DecideServing(topic);
                }
            }
        }
        else if (topic.Rights.IsAskedToRelease)
        {
            bool isDeleting = _actions.IsDeleting(topic.Name, topic.TopicId);
            if (isDeleting || _actions.MayRelease(topic.Name))
            {
                BeginStop(topic, isDeleting ? StopReason.Delete : StopReason.Release);
            }
        }
        else if (NextOf(topic) is not null)
        {
            _toWrite.Add(topic);
        }
        else
        {
            BeginStop(topic, StopReason.NotOwner);
        }
    }

    private void DecideServing(OwnedTopic topic)
    {
        long session = _membership.Session;
        if ((session != 0 && session != topic.Session) || !topic.Rights.Serves(topic.Session) || topic.Rights.Known!.TopicId != topic.TopicId)
        {
            BeginStop(topic, StopReason.NotOwner);
        }
        else if (topic.Rights.IsAskedToRelease)
        {
            bool isDeleting = _actions.IsDeleting(topic.Name, topic.TopicId);
            if (isDeleting || _actions.MayRelease(topic.Name))
            {
                BeginStop(topic, isDeleting ? StopReason.Delete : StopReason.Release);
            }
        }
        else if (_isLeaving && _actions.IsInMemory(topic.Name))
        {
            BeginStop(topic, StopReason.Release);
        }
    }

    private void DecideStopped(OwnedTopic topic)
    {
        if (_membership.Session == 0)
        {
            return; // A new session looks at everything.
        }

        if (NextOf(topic) is not null)
        {
            _toWrite.Add(topic);
            return;
        }

        if (_isLeaving && topic.Rights.IsAskedToRelease)
        {
            // Asked for while it was being closed: nobody opens it here any more.
            topic.Rights.Stop();
            _toWrite.Add(topic);
            return;
        }

        // The leader has changed its mind, or somebody has changed everything.
        topic.Phase = OwnerPhase.Idle;
        DecideIdle(topic);
    }

    /// <summary>The record to write now for where the topic stands; null for none.</summary>
    private Assignment? NextOf(OwnedTopic topic) => topic.Phase switch
    {
        OwnerPhase.Prepared => topic.Rights.ToServe(topic.Session, Math.Max(topic.Epoch, _view.LostEpochOf(topic.Name, topic.TopicId))),
        OwnerPhase.Stopped when _membership.Session != 0 => topic.Rights.ToRelease(_membership.Session, topic.EndOffset),
        OwnerPhase.Idle when topic is { GivesUp: true, Failure: { } reason } => topic.Rights.ToFail(topic.Session, reason),
        _ => null,
    };

    private void Activate(OwnedTopic topic, Assignment served)
    {
        topic.Epoch = served.Epoch;
        topic.DeniedEpoch = 0;
        topic.Failure = null;
        topic.Phase = OwnerPhase.Serving;
        _actions.Activate(topic.Name, checked((uint)served.Epoch));
        Log.TopicServed(_log, topic.Name, served.Epoch, topic.Session);
    }

    private void BeginPrepare(OwnedTopic topic, Assignment known, long session)
    {
        // What was closed under this session goes on where it ended; a memory topic has no other memory of that.
        Assignment open = topic.Rights.Serves(session) ? known with { StartOffset = Math.Max(known.StartOffset, topic.EndOffset) } : known;
        topic.Phase = OwnerPhase.Preparing;
        topic.Session = session;
        topic.TopicId = known.TopicId;
        var gate = new OwnerGate(_membership.Proof, session);
        long seen = topic.Rights.KnownRevision;
        Begin(topic, async () =>
        {
            try
            {
                // The assignment may have been read from the store: the catalogue must show the topic as it was then.
                await _view.WaitForAsync(seen, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                return () => OnPrepared(topic, new PreparedTopic(PrepareStatus.Unknown));
            }

            await _openings.WaitAsync();
            try
            {
                PreparedTopic prepared = await _actions.PrepareAsync(topic.Name, open, gate, CancellationToken.None);
                return () => OnPrepared(topic, prepared);
            }
            finally
            {
                _openings.Release();
            }
        }, e => OnPrepared(topic, new PreparedTopic(PrepareStatus.Failed, Reason: e.Message, MayPass: true)));
    }

    private void OnPrepared(OwnedTopic topic, PreparedTopic prepared)
    {
        switch (prepared.Status)
        {
            case PrepareStatus.Ready:
                topic.Epoch = prepared.HighestEpoch;
                topic.Phase = OwnerPhase.Prepared;
                (topic.Attempts, topic.GivesUp) = (0, false);
                break;
            case PrepareStatus.Unknown:
                topic.Phase = OwnerPhase.Idle;
                topic.RetryAt = In(LookAgainAfter);
                _toRetry.Add(topic);
                break;
            default:
                topic.Failure = prepared.Reason;
                topic.GivesUp = !prepared.MayPass || ++topic.Attempts >= MaxAttempts;
                topic.Phase = OwnerPhase.Idle;
                topic.RetryAt = In(OpenAgainAfter);
                Log.TopicNotServed(_log, topic.Name, prepared.Reason);
                _toRetry.Add(topic);
                if (NextOf(topic) is not null)
                {
                    _toWrite.Add(topic);
                }

                break;
        }
    }

    private void BeginStop(OwnedTopic topic, StopReason why)
    {
        topic.Phase = OwnerPhase.Stopping;
        Begin(topic, async () =>
        {
            await _closings.WaitAsync();
            try
            {
                StoppedTopic stopped = await _actions.StopAsync(topic.Name, why, CancellationToken.None);
                return () => OnStopped(topic, why, stopped);
            }
            finally
            {
                _closings.Release();
            }
        }, _ =>
        {
            // Nobody is let in any more; what is still open is closed by the next opening.
            topic.Phase = OwnerPhase.Idle;
            topic.RetryAt = In(OpenAgainAfter);
            _toRetry.Add(topic);
        });
    }

    private void OnStopped(OwnedTopic topic, StopReason why, StoppedTopic stopped)
    {
        topic.EndOffset = stopped.EndOffset;
        if (why == StopReason.Delete || (why == StopReason.Release && !stopped.HasRecords))
        {
            // From here on it is given up, whether the write gets lost or not. Never idle in between: a broker that shuts down waits for the write.
            topic.Rights.Stop();
            topic.Phase = OwnerPhase.Stopped;
        }
        else
        {
            topic.Phase = OwnerPhase.Idle;
        }

        Log.TopicStopped(_log, topic.Name, why, stopped.EndOffset);
    }

    private void Begin(OwnedTopic topic, Func<Task<Action>> work, Action<Exception> onError) => _ = RunWorkAsync(topic, work, onError);

    private async Task RunWorkAsync(OwnedTopic topic, Func<Task<Action>> work, Action<Exception> onError)
    {
        Action result;
        try
        {
            result = await Task.Run(work);
        }
        catch (Exception e)
        {
            Log.OwnerWorkFailed(_log, e, topic.Name);
            result = () => onError(e);
        }

        _done.Enqueue((topic, result));
        _pulse.Writer.TryWrite(true);
    }
}
