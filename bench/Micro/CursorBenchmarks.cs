using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;

namespace Danube.Fast.MicroBench;

/// <summary>What a subscription has settled. Each call acknowledges a batch of 60 records: in order, or with every second batch first.</summary>
[MemoryDiagnoser]
public class CursorBenchmarks
{
    private const int Records = 60;

    private readonly Cursor _inOrder = new(0);
    private readonly Cursor _outOfOrder = new(0);
    private readonly Cursor _scattered = new(0);
    private readonly AckWindow _window = new(0);
    private long _next;
    private long _pair;
    private long _windowNext;
    private bool _isSecond;

    [GlobalSetup]
    public void Setup()
    {
        for (long i = 1; i < 4096; i += 2)
        {
            _scattered.Acknowledge(i, i + 1);
        }
    }

    /// <summary>Mark-delete moves, nothing is kept.</summary>
    [Benchmark]
    public long AcknowledgeInOrder()
    {
        long first = _next;
        _next += Records;
        return _inOrder.Acknowledge(first, _next);
    }

    /// <summary>The later one of two batches first: into the window and, with the earlier one, out of it.</summary>
    [Benchmark]
    public long AcknowledgeOutOfOrder()
    {
        long first = _pair + (_isSecond ? 0 : Records);
        _pair += _isSecond ? 2 * Records : 0;
        _isSecond = !_isSecond;
        return _outOfOrder.Acknowledge(first, first + Records);
    }

    /// <summary>Looks for the next offset to deliver among 4,096 of which every second one is acknowledged.</summary>
    [Benchmark]
    public long NextUnacknowledged() => _scattered.NextUnacknowledged(2047) + _scattered.CountUnacknowledged(1024, 1024 + Records);

    /// <summary>The bitmap alone: a run is set above the base, then passed.</summary>
    [Benchmark]
    public long AckWindowSetAndAdvance()
    {
        long first = _windowNext;
        _windowNext += Records;
        long added = _window.Set(first + 1, _windowNext);
        return added + _window.Advance(_windowNext);
    }
}
