namespace Danube.Fast.Metadata.Etcd;

/// <summary>Waits between attempts: 50 ms, doubled each time up to 2 s, each shortened by up to a half at random.</summary>
internal struct BackOff
{
    private const int FirstMs = 50;
    private const int MaxMs = 2000;

    private int _attempts;

    public void Reset() => _attempts = 0;

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        int full = Math.Min(FirstMs << Math.Min(_attempts++, 10), MaxMs);
        return Task.Delay(full - Random.Shared.Next(full / 2), cancellationToken);
    }
}
