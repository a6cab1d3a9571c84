namespace Danube.Fast.Core.Tests;

/// <summary>Durable saves wait until the test completes or fails them, the oldest first.</summary>
internal sealed class SlowCursorStore : CursorStore
{
    private readonly Queue<TaskCompletionSource> _waiting = new();

    public override byte[]? Load(ulong topicId, string subscription) => null;

    public override void Save(ulong topicId, string subscription, ReadOnlySpan<byte> state)
    {
    }

    public override ValueTask SaveDurableAsync(ulong topicId, string subscription, ReadOnlyMemory<byte> state)
    {
        var saved = new TaskCompletionSource();
        _waiting.Enqueue(saved);
        return new ValueTask(saved.Task);
    }

    public void Complete(Exception? error = null)
    {
        TaskCompletionSource saved = _waiting.Dequeue();
        if (error is null)
        {
            saved.SetResult();
        }
        else
        {
            saved.SetException(error);
        }
    }

    public override void Remove(ulong topicId, string subscription)
    {
    }

    public override void RemoveTopic(ulong topicId)
    {
    }
}
