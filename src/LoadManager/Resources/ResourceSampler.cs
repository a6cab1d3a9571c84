namespace Danube.Fast.LoadManager;

/// <summary>
/// Reads a monitor every few seconds on a thread of its own, so that nobody else ever waits for a file, and keeps the last reading. Whoever wants
/// the mean since its own last question opens a <see cref="ResourceWindow"/>; windows do not disturb each other.
/// Runs on: its thread. Shared with: any reader, under one short lock.
/// </summary>
public sealed class ResourceSampler : IDisposable
{
    private readonly IResourceMonitor _monitor;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _interval;
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Accumulated _sums = new();
    private Thread? _thread;
    private long _lastAt;
    private ResourceUsage _latest = ResourceUsage.Unknown;
    private ResourceCapacity _capacity = ResourceCapacity.Unknown;

    /// <summary>A sampler that has taken its first reading, to which rates compare; <see cref="Start"/> makes it go on by itself.</summary>
    /// <param name="monitor">What it reads; nobody else may.</param>
    /// <param name="interval">Between two readings, 1 to 5 seconds.</param>
    /// <param name="clock">Times of the readings.</param>
    public ResourceSampler(IResourceMonitor monitor, TimeSpan interval, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(interval, TimeSpan.FromSeconds(5));
        _monitor = monitor;
        _interval = interval;
        _clock = clock;
        _latest = monitor.Collect();
        _capacity = monitor.ReadCapacity();
        _lastAt = clock.GetTimestamp();
    }

    /// <summary>The last reading, at most one interval old.</summary>
    public ResourceUsage Latest
    {
        get
        {
            lock (_gate)
            {
                return _latest;
            }
        }
    }

    /// <summary>The capacities as last read.</summary>
    public ResourceCapacity Capacity
    {
        get
        {
            lock (_gate)
            {
                return _capacity;
            }
        }
    }

    /// <summary>Resources that the platform does not offer.</summary>
    public IReadOnlyList<ResourceType> Unsupported => _monitor.Unsupported;

    /// <summary>A reader's own window, beginning now.</summary>
    public ResourceWindow OpenWindow() => new(this);

    /// <summary>Begins to read on a background thread.</summary>
    public void Start()
    {
        _thread ??= new Thread(Run) { IsBackground = true, Name = "danube-resources" };
        _thread.Start();
    }

    /// <summary>Takes one reading now. The thread does; so do simulations, which have none.</summary>
    public void Sample()
    {
        ResourceUsage usage = _monitor.Collect();
        ResourceCapacity capacity = _monitor.ReadCapacity();
        long now = _clock.GetTimestamp();
        lock (_gate)
        {
            _sums.Add(usage, _clock.GetElapsedTime(_lastAt, now).TotalSeconds);
            _lastAt = now;
            _latest = usage;
            _capacity = capacity;
        }
    }

    /// <summary>Ends the thread after the reading that it is at.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread?.Join();
        _stop.Dispose();
    }

    internal Accumulated Sums()
    {
        lock (_gate)
        {
            return _sums.Copy();
        }
    }

    private void Run()
    {
        while (!_stop.Wait(_interval))
        {
            Sample();
        }
    }
}
