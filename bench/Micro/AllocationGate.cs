using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace Danube.Fast.MicroBench;

/// <summary>
/// The short mode: runs every benchmark method of this assembly in a plain loop, prints ns and allocated bytes per call, and fails when a method
/// allocates more than <c>allocations.json</c> allows or is missing from it, or that file names one that is gone. Allocation counts are exact, so a short
/// loop is enough for them; for times use the full run.
/// </summary>
internal static class AllocationGate
{
    // Slow calls are bounded by time: those that wait for a disk.
    private const int WarmCalls = 30_000, MeasuredCalls = 50_000, LongestMs = 700;

    public static int Run()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "allocations.json");
        Dictionary<string, double> allowed = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(path))!;
        bool isGood = true;
        var seen = new HashSet<string>();
        foreach ((string name, Action call) in Cases())
        {
            seen.Add(name);
            (double nanoseconds, double bytes) = Measure(call);
            bool isKnown = allowed.TryGetValue(name, out double limit);
            bool isMet = isKnown && bytes <= limit;
            isGood &= isMet;
            string verdict = !isKnown ? "NOT IN allocations.json" : isMet ? "ok" : $"MORE THAN {limit} B";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-45} {nanoseconds,10:0.0} ns/call {bytes,8:0.##} B/call  {verdict}"));
        }

        foreach (string gone in allowed.Keys.Where(name => !seen.Contains(name)))
        {
            isGood = false;
            Console.WriteLine($"{gone,-45} is in allocations.json, but there is no such benchmark");
        }

        return isGood ? 0 : 1;
    }

    private static IEnumerable<(string Name, Action Call)> Cases()
    {
        foreach (Type type in typeof(AllocationGate).Assembly.GetTypes().Where(t => t.GetMethods().Any(IsBenchmark)).OrderBy(t => t.Name))
        {
            PropertyInfo? parameter = type.GetProperties().FirstOrDefault(p => p.GetCustomAttribute<ParamsAttribute>() is not null);
            object?[] values = parameter?.GetCustomAttribute<ParamsAttribute>()!.Values ?? [null];
            foreach (object? value in values)
            {
                object target = Activator.CreateInstance(type)!;
                parameter?.SetValue(target, value);
                foreach (MethodInfo setup in type.GetMethods().Where(m => m.GetCustomAttribute<GlobalSetupAttribute>() is not null))
                {
                    setup.Invoke(target, null);
                }

                foreach (MethodInfo method in type.GetMethods().Where(IsBenchmark))
                {
                    yield return ($"{type.Name}.{method.Name}" + (value is null ? "" : $"({value})"), ToAction(target, method));
                }

                foreach (MethodInfo cleanup in type.GetMethods().Where(m => m.GetCustomAttribute<GlobalCleanupAttribute>() is not null))
                {
                    cleanup.Invoke(target, null);
                }
            }
        }
    }

    private static bool IsBenchmark(MethodInfo method) => method.GetCustomAttribute<BenchmarkAttribute>() is not null;

    private static Action ToAction(object target, MethodInfo method) => method.ReturnType == typeof(void)
        ? method.CreateDelegate<Action>(target)
        : (Action)typeof(AllocationGate).GetMethod(nameof(Wrap), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(method.ReturnType).Invoke(null, [target, method])!;

    private static Action Wrap<T>(object target, MethodInfo method)
    {
        Func<T> call = method.CreateDelegate<Func<T>>(target);
        return () => call();
    }

    private static (double Nanoseconds, double Bytes) Measure(Action call)
    {
        // Three times, so that code in its first tier has been replaced before the last one counts.
        Loop(call, WarmCalls);
        Loop(call, WarmCalls);
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        int calls = Loop(call, MeasuredCalls);
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
        return (nanoseconds, (GC.GetAllocatedBytesForCurrentThread() - bytes) / (double)calls);
    }

    private static int Loop(Action call, int most)
    {
        long end = Environment.TickCount64 + LongestMs;
        int calls = 0;
        while (calls < most && (calls % 64 != 0 || Environment.TickCount64 < end))
        {
            call();
            calls++;
        }

        return calls;
    }
}
