namespace Danube.Fast.Cli.Demo;

/// <summary>Waits for tasks that need each other.</summary>
internal static class AllOrNothing
{
    /// <summary>Completes when all have; the first failure cancels <paramref name="others"/> and is thrown once all have ended.</summary>
    public static async Task WhenAllAsync(CancellationTokenSource others, params Task[] tasks)
    {
        var open = tasks.ToList();
        Exception? first = null;
        while (open.Count > 0)
        {
            Task ended = await Task.WhenAny(open);
            open.Remove(ended);
            try
            {
                await ended;
            }
            catch (Exception e)
            {
                first ??= e;
                await others.CancelAsync();
            }
        }

        if (first is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        }
    }
}
