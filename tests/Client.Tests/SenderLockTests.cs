namespace Danube.Fast.Client.Tests;

/// <summary>The lock of the producers: one at a time is inside, and nobody waits for ever.</summary>
public sealed class SenderLockTests
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromMinutes(3);
    private readonly SenderLock _gate = new();
    private long _inside, _first, _second;

    [Fact]
    public async Task Many_threads_are_inside_one_after_the_other()
    {
        const int Threads = 4, Turns = 400_000;
        Task[] all = [.. Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(() => Take(Turns), TaskCreationOptions.LongRunning))];
        await Task.WhenAll(all).WaitAsync(HangGuard);
        Assert.Equal(Threads * Turns, _first);
        Assert.Equal(_first, _second);
    }

    [Fact]
    public async Task Who_comes_while_it_is_held_gets_it_when_it_is_left()
    {
        // One thread leaves without coming back, so that only its leaving can wake the other.
        const int Turns = 20_000;
        using var turn = new Barrier(2);
        Task other = Task.Factory.StartNew(() => Meet(turn, Turns), TaskCreationOptions.LongRunning);
        Task one = Task.Factory.StartNew(() => Meet(turn, Turns), TaskCreationOptions.LongRunning);
        await Task.WhenAll(one, other).WaitAsync(HangGuard);
        Assert.Equal(2 * Turns, _first);
    }

    [Fact]
    public async Task A_waiter_sleeps_until_a_long_holder_leaves()
    {
        using var isHeld = new SemaphoreSlim(0);
        using var mayLeave = new SemaphoreSlim(0);
        Task holder = Task.Factory.StartNew(() => Hold(isHeld, mayLeave), TaskCreationOptions.LongRunning);
        await isHeld.WaitAsync();
        Task[] waiters = [.. Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(() => Take(1), TaskCreationOptions.LongRunning))];
        await Task.Delay(50);
        Assert.Equal(0, Volatile.Read(ref _first));
        mayLeave.Release();
        await Task.WhenAll([holder, .. waiters]).WaitAsync(HangGuard);
        Assert.Equal(3, _first);
    }

    [Fact]
    public void An_exception_inside_leaves_it()
    {
        Assert.Throws<InvalidOperationException>(Throw);
        Take(1);
        Assert.Equal(1, _first);

        void Throw()
        {
            using (_gate.Enter())
            {
                throw new InvalidOperationException();
            }
        }
    }

    private void Take(int turns)
    {
        for (int i = 0; i < turns; i++)
        {
            using (_gate.Enter())
            {
                Assert.Equal(1, ++_inside);
                _first++;
                _second++;
                _inside--;
            }
        }
    }

    private void Meet(Barrier turn, int turns)
    {
        for (int i = 0; i < turns; i++)
        {
            Assert.True(turn.SignalAndWait(HangGuard), "The other side does not come.");
            using (_gate.Enter())
            {
                // Long enough for the other side to go to sleep now and then.
                Thread.SpinWait(i % 100 == 0 ? 20_000 : 1);
                _first++;
            }
        }
    }

    private void Hold(SemaphoreSlim isHeld, SemaphoreSlim mayLeave)
    {
        using (_gate.Enter())
        {
            isHeld.Release();
            mayLeave.Wait();
        }
    }
}
