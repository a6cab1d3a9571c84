using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace Danube.Fast.MicroBench;

/// <summary>
/// The short mode: runs every benchmark method of this assembly in a plain loop, prints ns and allocated bytes per call, and fails when a method
/// allocates more than <c>allocations.json</c> allows or is missing from it. Allocation counts are exact, so a short loop is enough for them; for
/// times use the full run.
/// </summary>
internal static class AllocationGate
{
    private const int WarmCalls = 30_000, MeasuredCalls = 50_000;

    public static int Run()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "allocations.json");
        Dictionary<string, double> allowed = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(path))!;
        bool isGood = true;
        foreach ((string name, Action call) in Cases())
        {
            (double nanoseconds, double bytes) = Measure(call);
            bool isKnown = allowed.TryGetValue(name, out double limit);
            bool isMet = isKnown && bytes <= limit;
            isGood &= isMet;
            string verdict = !isKnown ? "NOT IN allocations.json" : isMet ? "ok" : $"MORE THAN {limit} B";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-45} {nanoseconds,10:0.0} ns/call {bytes,8:0.##} B/call  {verdict}"));
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
            }
        }
    }

    private static bool IsBenchmark(MethodInfo method) => method.GetCustomAttribute<BenchmarkAttribute>() is not null;

    private static Action ToAction(object target, MethodInfo method) =>
        (Action)typeof(AllocationGate).GetMethod(nameof(Wrap), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(method.ReturnType).Invoke(null, [target, method])!;

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
        Loop(call, MeasuredCalls);
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / MeasuredCalls;
        return (nanoseconds, (GC.GetAllocatedBytesForCurrentThread() - bytes) / (double)MeasuredCalls);
    }

    private static void Loop(Action call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            call();
        }
    }
}
