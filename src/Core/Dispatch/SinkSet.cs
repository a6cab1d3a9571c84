namespace Danube.Fast.Core;

/// <summary>The sinks that were given frames and not flushed yet: each is flushed once. One thread.</summary>
internal sealed class SinkSet
{
    private readonly HashSet<IFrameSink> _sinks = new(ReferenceEqualityComparer.Instance);
    private IFrameSink? _first;

    public void Add(IFrameSink sink)
    {
        // Nearly always there is one: the set is for fan-in and shared subscriptions.
        if (_first is null)
        {
            _first = sink;
        }
        else if (!ReferenceEquals(_first, sink))
        {
            _sinks.Add(sink);
        }
    }

    public void Flush()
    {
        IFrameSink? first = _first;
        if (first is null)
        {
            return;
        }

        _first = null;
        first.Flush();
        if (_sinks.Count > 0)
        {
            foreach (IFrameSink sink in _sinks)
            {
                sink.Flush();
            }

            _sinks.Clear();
        }
    }
}
