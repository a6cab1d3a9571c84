using System.Diagnostics;
using System.Globalization;

namespace Danube.Fast.Cli.Demo;

/// <summary>The consuming process as the publishing one sees it.</summary>
internal sealed class ConsumerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;
    private long _received;

    private ConsumerProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int ProcessId => _process.Id;

    /// <summary>Messages received so far, as last reported.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Starts the process and waits until it has subscribed.</summary>
    public static async Task<ConsumerProcess> StartAsync(
        string url, string topic, string subscription, string outputFile, DemoInput input, CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            "demo-consume", "--url", url, "--topic", topic, "--subscription", subscription, "--output", outputFile,
            "--count", input.Lines.ToString(CultureInfo.InvariantCulture),
        ];
        var consumer = new ConsumerProcess(
            ChildProcess.Start(ChildProcess.Self, input.EndsWithNewLine ? arguments : [.. arguments, "--no-final-newline"]));
        try
        {
            if (await consumer._process.StandardOutput.ReadLineAsync(cancellationToken) != DemoReport.Subscribed)
            {
                throw await consumer.FailureAsync();
            }

            return consumer;
        }
        catch
        {
            await consumer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Follows the process to its end.</summary>
    /// <exception cref="InvalidDataException">It ended without a report; the message says what it said.</exception>
    public async Task<DemoReport> ReportAsync(CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(DemoReport.Progress, StringComparison.Ordinal))
            {
                Volatile.Write(ref _received, long.Parse(line.AsSpan(DemoReport.Progress.Length), CultureInfo.InvariantCulture));
            }
            else if (line.StartsWith(DemoReport.Result, StringComparison.Ordinal))
            {
                DemoReport report = DemoReport.Parse(line);
                Volatile.Write(ref _received, report.Messages);
                return report;
            }
        }

        throw await FailureAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<InvalidDataException> FailureAsync() => new("The consuming process failed: " + (await _errors).Trim());
}
