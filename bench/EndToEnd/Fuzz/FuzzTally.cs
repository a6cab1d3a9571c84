using System.Collections.Concurrent;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Fuzz;

/// <summary>Counts of a malformed-input run. Shared with: all its threads.</summary>
internal sealed class FuzzTally
{
    private readonly ConcurrentDictionary<string, long> _errors = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private long _frames;
    private long _connections;

    /// <summary>Mutated frames that the broker has certainly read.</summary>
    public long Frames => Interlocked.Read(ref _frames);
    public long Connections => Interlocked.Read(ref _connections);
    public bool HasFailed => !_failures.IsEmpty;
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Answers by error code.</summary>
    public IReadOnlyDictionary<string, long> Errors => _errors;

    public void Count(int frames)
    {
        Interlocked.Add(ref _frames, frames);
        Interlocked.Increment(ref _connections);
    }

    /// <summary>An error frame came back: it must carry a known code and a sentence.</summary>
    public void Error(ReadOnlySpan<byte> json)
    {
        ErrorPayload? error = null;
        try
        {
            error = JsonSerializer.Deserialize(json, ControlJson.Default.ErrorPayload);
        }
        catch (JsonException)
        {
            // A GOB request is answered in GOB: the text lies behind a short prefix. Those are checked by the protocol's own tests.
            _errors.AddOrUpdate("(not JSON)", 1, (_, n) => n + 1);
            return;
        }

        if (error is null || error.Message.Length < 10 || ErrorCodes.Name(ErrorCodes.Parse(error.Code)) != error.Code)
        {
            Fail($"an error frame without a known code or a sentence: {System.Text.Encoding.UTF8.GetString(json)}");
            return;
        }

        _errors.AddOrUpdate(error.Code, 1, (_, n) => n + 1);
    }

    public void Fail(string what)
    {
        if (_failures.Count < 20)
        {
            _failures.Enqueue(what);
        }
    }
}
