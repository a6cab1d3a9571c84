namespace Danube.Fast.Bench.Reports;

/// <summary>One line that is overwritten, on a terminal only; in a file or a pipe nothing is printed.</summary>
public static class LiveProgress
{
    public static void Show(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write("\r" + text.PadRight(100)[..100]);
        }
    }

    public static void Clear()
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write("\r" + new string(' ', 100) + "\r");
        }
    }
}
